"""How fields of a snapshot are shown to people."""

from django import template

from characters.models import Character

register = template.Library()


@register.filter
def field_label(name: str) -> str:
    """The field's name in words."""
    return str(Character._meta.get_field(name).verbose_name)  # type: ignore[union-attr]


@register.filter
def snapshot_value(value: object) -> str:
    """A field's value in lines."""
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    if isinstance(value, dict):
        return "\n".join(f"{name}: {item}" for name, item in value.items())
    return str(value)
