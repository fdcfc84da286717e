"""Administration of collections and documents: looking, filtering, deleting. Uploading is for the pages."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from documents.errors import failure_message
from documents.models import Collection, Document, VectorSpace
from documents.services import delete_any_document


@admin.register(Collection)
class CollectionAdmin(admin.ModelAdmin[Collection]):
    list_display = ("name", "owner", "kind", "created_at")
    list_filter = ("kind",)
    search_fields = ("name", "owner__email")
    readonly_fields = ("owner", "kind", "created_at")
    list_select_related = ("owner",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Collection | None = None) -> bool:
        # The admin would delete rows and leave the files.
        return False


@admin.register(Document)
class DocumentAdmin(admin.ModelAdmin[Document]):
    list_display = ("name", "collection", "status", "page_count", "chunk_count", "size", "created_at")
    list_filter = ("status", "media_type", "language", "created_at")
    search_fields = ("name", "collection__name", "collection__owner__email")
    list_select_related = ("collection",)
    date_hierarchy = "created_at"
    actions = ("delete_documents",)
    fields = (
        "id",
        "name",
        "title",
        "collection",
        "media_type",
        "size",
        "status",
        "progress",
        "failure",
        "attempts",
        "language",
        "page_count",
        "chunk_count",
        "created_at",
        "ready_at",
    )
    readonly_fields = fields

    @admin.display(description=_("size"), ordering="size_bytes")
    def size(self, document: Document) -> str:
        return filesizeformat(document.size_bytes)

    @admin.display(description=_("why it failed"))
    def failure(self, document: Document) -> str:
        return failure_message(document.error_code) or ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Document | None = None) -> bool:
        # Django's own deletion would leave the files; the action below does it whole.
        return False

    @admin.action(description=_("Delete the chosen documents, with their passages and files"))
    def delete_documents(self, request: HttpRequest, queryset: QuerySet[Document]) -> None:
        assert isinstance(request.user, User)
        ids = list(queryset.values_list("pk", flat=True))
        for document_id in ids:
            delete_any_document(actor=request.user, document_id=document_id)
        message = ngettext("%(count)d document deleted.", "%(count)d documents deleted.", len(ids))
        messages.success(request, message % {"count": len(ids)})


@admin.register(VectorSpace)
class VectorSpaceAdmin(admin.ModelAdmin[VectorSpace]):
    list_display = ("name", "dimensions", "is_active", "is_complete", "show_progress")

    @admin.display(description=_("embedding anew"))
    def show_progress(self, space: VectorSpace) -> str:
        """How far the vectors of a newly chosen model are."""
        if space.is_complete or not space.chunks_total:
            return "–"
        share = min(1.0, space.chunks_done / space.chunks_total)
        return _("%(percent)d %% of %(total)d passages") % {
            "percent": 100 * share,
            "total": space.chunks_total,
        }

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: VectorSpace | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: VectorSpace | None = None) -> bool:
        return False
