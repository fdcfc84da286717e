"""Shapes of what people type about their accounts. Rules are in `accounts.services`."""

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.utils.translation import gettext_lazy as _

from accounts.models import ApiKey, User


class ProfileForm(forms.ModelForm[User]):
    class Meta:
        model = User
        fields = ["name"]
        widgets = {
            "name": forms.TextInput(attrs={"class": "input", "autocomplete": "name"}),
        }


class ApiKeyForm(forms.ModelForm[ApiKey]):
    class Meta:
        model = ApiKey
        fields = ["name"]
        widgets = {
            "name": forms.TextInput(
                attrs={"class": "input", "autocomplete": "off", "placeholder": _("What will use it?")}
            ),
        }


class NewUserForm(AdminUserCreationForm[User]):
    """An administrator's form for somebody new."""

    class Meta:
        model = User
        fields = ("email", "name")


class UserForm(UserChangeForm[User]):
    class Meta:
        model = User
        fields = "__all__"
