"""GGUF files: how they come in, and where they are served."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError
from inference.admin.estate import actor_of
from inference.model_files import (
    add_file_in_blob,
    add_uploaded_file,
    can_serve_here,
    create_on_ollama,
    delete_file,
    serve_file,
    start_fetch,
)
from inference.models import ModelFile, Server, ServerKind
from inference.tasks import begin_fetch


class NewFileForm(forms.ModelForm[ModelFile]):
    """One of three ways in; what is wrong with it stands beside it."""

    upload = forms.FileField(label=_("Upload"), required=False)
    in_blob = forms.CharField(
        label=_("Or a file in Blob"), required=False, help_text=_("Its path within the container.")
    )
    on_hub = forms.CharField(
        label=_("Or a file of the model hub"), required=False, help_text=_("owner/repository/file.gguf")
    )

    class Meta:
        model = ModelFile
        fields: list[str] = []

    def clean(self) -> None:
        super().clean()
        ways = [name for name in ("upload", "in_blob", "on_hub") if self.cleaned_data.get(name)]
        if len(ways) != 1:
            raise ValidationError(_("Choose one of the three ways."))


@admin.register(ModelFile)
class ModelFileAdmin(admin.ModelAdmin[ModelFile]):
    list_display = ["name", "status", "size", "architecture", "quantisation", "context_tokens", "error"]
    list_filter = ["status", "architecture"]
    search_fields = ["name", "source"]
    actions = ["serve", "create"]
    readonly_fields = [
        *("name", "status", "blob_name", "source", "size", "architecture", "parameters", "quantisation"),
        *("context_tokens", "error"),
    ]

    def get_form(self, request: HttpRequest, obj: ModelFile | None = None, **kwargs: Any) -> Any:
        return super().get_form(request, obj, **({} if obj else {"form": NewFileForm}), **kwargs)

    def get_fields(self, request: HttpRequest, obj: ModelFile | None = None) -> Any:
        return self.readonly_fields if obj else ["upload", "in_blob", "on_hub"]

    def get_readonly_fields(self, request: HttpRequest, obj: ModelFile | None = None) -> Any:
        return self.readonly_fields if obj else []
