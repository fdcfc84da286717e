"""Figures in templates, as `inference.words` writes them."""

from django import template

from inference import words

register = template.Library()

register.filter("count", words.say_count)
register.filter("seconds", words.say_seconds)
register.filter("share", words.say_share)
register.filter("gigabytes", words.say_gigabytes)
