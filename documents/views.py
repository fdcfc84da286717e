"""The documents pages: what somebody has, and one document opened at a page with a passage marked.

Uploading, deleting and searching go through the REST API (`documents.api`), which the page's elements call.
"""

import uuid

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.models import User
from documents import shelves
from documents.forms import PassageForm
from documents.models import AccessLevel, Collection, Document, DocumentStatus
from documents.queries import find_document
from documents.sharing import OWNER, access_levels
from documents.viewer.passages import cut_passage
from documents.viewer.pictures import has_pictures

# A table of a hundred rows is one screenful of scrolling; more is what search is for.
ROWS_PER_PAGE = 100
# The sidebar's list is for stepping to a document one remembers.
NEIGHBOURS = 50


@require_safe
@login_required
def list_documents(request: HttpRequest) -> HttpResponse:
    """The table of a shelf's documents, and the shelves at its side."""
    user, key = _person(request), request.GET.get("collection", "")
    documents = shelves.find_documents(user=user, key=key)
    collection = shelves.find_shelf_collection(user=user, key=key)
    access = access_levels(user=user, collections=[collection])[collection.pk] if collection else OWNER
    context = {
        "key": key,
        "collection": collection,
        "access": access,
        "may_write": access != AccessLevel.READ,
        "writable": set(Collection.objects.writable_by(user).values_list("pk", flat=True)),
        "may_manage": access in (OWNER, AccessLevel.MANAGE),
        "shelves": shelves.list_shelves(user=user, key=key),
        "from_chats": shelves.count_from_chats(user=user),
        "totals": shelves.add_up(documents),
        "rows": Paginator(documents, ROWS_PER_PAGE).get_page(request.GET.get("page")),
        "upload_max_bytes": settings.UPLOAD_MAX_BYTES,
    }
    return render(request, "documents/list.html", context)


@require_safe
@login_required
def view_document(request: HttpRequest, document_id: uuid.UUID) -> HttpResponse:
    """One page of a document as text, with the span from `start` to `end` marked."""
    document = find_document(actor=_person(request), document_id=document_id)
    form = PassageForm(request.GET)
    asked = form.cleaned_data if form.is_valid() else {}
    number = min(asked.get("page") or 1, max(document.page_count, 1))
    page = document.pages.filter(number=number).first()
    passage = cut_passage(page.text, asked.get("start"), asked.get("end")) if page else None
    neighbours = document.collection.documents.filter(status=DocumentStatus.READY)[:NEIGHBOURS]
    context = {
        "document": document,
        "number": number,
        "page": page,
        "passage": passage,
        "has_picture": page is not None and has_pictures(document),
        "neighbours": neighbours,
        # What is only lent, by a character, is read and not taken into a chat of one's own.
        "may_ask": Document.objects.visible_to(_person(request)).filter(pk=document.pk).exists(),
    }
    return render(request, "documents/view.html", context)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)  # login_required has seen to it
    return request.user
