"""Figures in templates, as `inference.figures.words` writes them."""

from django import template

from inference.figures import words

register = template.Library()

register.filter("count", words.say_count)
register.filter("seconds", words.say_seconds)
register.filter("share", words.say_share)
register.filter("gigabytes", words.say_gigabytes)
