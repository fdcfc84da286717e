"""GGUF files: how they come in, and where they are served."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError
from inference.admin.estate import actor_of
from inference.model_files.services import (
    add_file_in_blob,
    add_uploaded_file,
    delete_file,
    serve_file,
    start_fetch,
    stop_serving,
)
from inference.models import FileStatus, ModelFile, Server, ServerKind
from inference.tasks import begin_create, begin_fetch


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
    actions = ["serve", "stop", "create"]
    readonly_fields = [
        *("name", "status", "blob_name", "source", "size", "architecture", "parameters", "quantisation"),
        *("context_tokens", "error"),
    ]

    def get_form(
        self, request: HttpRequest, obj: ModelFile | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        if obj is None:
            kwargs["form"] = NewFileForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: ModelFile | None = None) -> Any:
        return self.readonly_fields if obj else ["upload", "in_blob", "on_hub"]

    def get_readonly_fields(self, request: HttpRequest, obj: ModelFile | None = None) -> Any:
        return self.readonly_fields if obj else []

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> Any:
        if request.method != "POST":
            return super().add_view(request, form_url, extra_context)
        form = NewFileForm(request.POST, request.FILES)
        if not form.is_valid():
            return super().add_view(request, form_url, extra_context)
        try:
            row = self._take_in(request, form)
        except ParlourError as error:
            self.message_user(request, str(error.user_message), messages.ERROR)
            return HttpResponseRedirect(request.path)
        self.message_user(request, _("%(file)s was added.") % {"file": row}, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:inference_modelfile_changelist"))

    def _take_in(self, request: HttpRequest, form: NewFileForm) -> ModelFile:
        actor, given = actor_of(request), form.cleaned_data
        if given["upload"]:
            return add_uploaded_file(actor=actor, upload=given["upload"])
        if given["in_blob"]:
            return add_file_in_blob(actor=actor, blob_name=given["in_blob"])
        return start_fetch(actor=actor, source=given["on_hub"], is_to_serve=False, begin=begin_fetch)

    def delete_model(self, request: HttpRequest, obj: ModelFile) -> None:
        delete_file(actor=actor_of(request), file_id=obj.pk)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelFile]) -> None:
        for file_id in list(queryset.values_list("pk", flat=True)):
            delete_file(actor=actor_of(request), file_id=file_id)

    @admin.action(description=_("Serve the chosen file on this machine"))
    def serve(self, request: HttpRequest, queryset: QuerySet[ModelFile]) -> None:
        row = self._the_one(request, queryset)
        if row is None:
            return
        try:
            serve_file(actor=actor_of(request), file_id=row.pk, begin=begin_fetch)
        except ParlourError as error:
            self.message_user(request, str(error.user_message), messages.ERROR)
            return
        self.message_user(
            request, _("%(file)s is being loaded; it can be chosen in a moment.") % {"file": row}
        )

    @admin.action(description=_("Serve the chosen file no more"))
    def stop(self, request: HttpRequest, queryset: QuerySet[ModelFile]) -> None:
        row = self._the_one(request, queryset)
        if row is None:
            return
        try:
            stop_serving(actor=actor_of(request), file_id=row.pk)
        except ParlourError as error:
            self.message_user(request, str(error.user_message), messages.ERROR)
            return
        self.message_user(request, _("%(file)s is served no more.") % {"file": row})

    @admin.action(description=_("Create the chosen file as a model on every Ollama server"))
    def create(self, request: HttpRequest, queryset: QuerySet[ModelFile]) -> None:
        row = self._the_one(request, queryset)
        if row is None:
            return
        servers = list(Server.objects.filter(kind=ServerKind.OLLAMA, is_enabled=True))
        if not servers:
            self.message_user(request, _("There is no Ollama server yet: add one first."), messages.WARNING)
        for server in servers:
            begin_create(actor_id=actor_of(request).pk, file_id=row.pk, server_id=server.pk)
            words = _("%(file)s is on its way to %(server)s.") % {"file": row, "server": server}
            self.message_user(request, words)

    def _the_one(self, request: HttpRequest, queryset: QuerySet[ModelFile]) -> ModelFile | None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, _("Choose one file."), messages.WARNING)
            return None
        return chosen[0]

    @admin.display(description=_("size"), ordering="size_bytes")
    def size(self, row: ModelFile) -> str:
        if row.status == FileStatus.FETCHING and row.size_bytes:
            return f"{filesizeformat(row.received_bytes)} / {filesizeformat(row.size_bytes)}"
        return filesizeformat(row.size_bytes)
