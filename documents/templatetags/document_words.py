"""Words about documents for templates."""

from django import template

from documents.errors import failure_message

register = template.Library()


@register.filter
def failure(error_code: str) -> str:
    """The sentence for a failed document's code, empty for none."""
    return failure_message(error_code) or ""
