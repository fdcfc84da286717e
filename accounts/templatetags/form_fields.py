"""A form field as the house draws it: label, control with the house's class, hint, errors; and what forms must know."""

from django import forms, template
from django.conf import settings
from django.forms import BoundField

from accounts.models import User

register = template.Library()


def _class_of(widget: forms.Widget) -> str:
    if isinstance(widget, forms.Textarea):
        return "textarea"
    if isinstance(widget, forms.Select):
        return "select"
    return "checkbox" if isinstance(widget, forms.CheckboxInput) else "input"


@register.inclusion_tag("accounts/field.html")
def house_field(field: BoundField, hint: str = "", label: str = "") -> dict[str, object]:
    """The field with its label; `hint` and `label` replace the form's own words."""
    widget = field.field.widget
    # A label above says it already; a placeholder would say it twice and vanish when one types.
    attributes: dict[str, str | bool] = {"class": _class_of(widget), "placeholder": ""}
    if field.errors:
        attributes["aria-describedby"] = f"{field.auto_id}_error"
    return {
        "field": field,
        "control": field.as_widget(attrs=attributes),
        "hint": hint or field.help_text,
        "label": label or field.label,
        "is_check": isinstance(widget, forms.CheckboxInput),
        "is_password": isinstance(widget, forms.PasswordInput),
    }


@register.simple_tag
def is_sign_up_open() -> bool:
    """Whether anybody may make an account with a password."""
    return bool(settings.SIGNUP_OPEN)


@register.simple_tag
def is_house_empty() -> bool:
    """Whether nobody has an account yet: the first to make one becomes the administrator."""
    return not User.objects.exists()


@register.simple_tag
def can_send_mail() -> bool:
    """Whether a mail server is named; without one an administrator sets new passwords."""
    return bool(settings.EMAIL_HOST)
