"""Reads over documents that are more than one QuerySet method."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts.errors import NotAllowed, NotFound
from accounts.models import User
from documents.models import Collection, CollectionQuerySet, Document, Page

_OWN_COLLECTION = "SELECT * FROM documents_collection WHERE id = %s AND owner_id = %s"


def find_document(*, actor: User, document_id: UUID) -> Document:
    """The document with its collection, to be read; `NotFound` if it is absent or not the actor's to see.

    Mostly it is the actor's own, and asked for again and again while it is read: that question goes first, as what is
    shared and lent takes ten times as long to ask.
    """
    found = Document.objects.select_related("collection").filter(pk=document_id)
    document = found.filter(collection__owner=actor).first() or found.readable_by(actor).first()
    if document is None:
        raise NotFound
    return document


def find_writable_document(*, actor: User, document_id: UUID) -> Document:
    """The same, to be changed or deleted; `NotAllowed` for one that the actor may only read."""
    document = find_document(actor=actor, document_id=document_id)
    if not Document.objects.writable_by(actor).filter(pk=document_id).exists():
        raise NotAllowed(_("You may read this collection, not change it. Ask whoever shares it with you."))
    return document


def find_collection(*, actor: User, collection_id: UUID) -> Collection:
    """The collection; `NotFound` if it is absent or not the actor's to see."""
    return _find(Collection.objects.visible_to(actor), collection_id)


def find_writable_collection(*, actor: User, collection_id: UUID) -> Collection:
    """The same, to add documents to; `NotAllowed` for one that the actor may only read.

    Mostly it is the actor's own, which one plain question tells, in words of our own because every upload asks it;
    the grants need two that cost a multiple.
    """
    own = Collection.objects.raw(_OWN_COLLECTION, [collection_id, actor.pk])
    if own:
        return own[0]
    collection = find_collection(actor=actor, collection_id=collection_id)
    if not Collection.objects.writable_by(actor).filter(pk=collection_id).exists():
        raise NotAllowed(_("You may read this collection, not change it. Ask whoever shares it with you."))
    return collection


def find_manageable_collection(*, actor: User, collection_id: UUID) -> Collection:
    """The same, to share, rename or delete; `NotAllowed` for one that the actor does not manage."""
    collection = find_collection(actor=actor, collection_id=collection_id)
    if not Collection.objects.manageable_by(actor).filter(pk=collection_id).exists():
        raise NotAllowed(_("Only whoever manages this collection can do that."))
    return collection


def _find(collections: CollectionQuerySet, collection_id: UUID) -> Collection:
    collection = collections.filter(pk=collection_id).first()
    if collection is None:
        raise NotFound
    return collection


def find_page(*, actor: User, document_id: UUID, number: int) -> Page:
    """One page with its document; `NotFound` as above, and for a page the document does not have."""
    document = find_document(actor=actor, document_id=document_id)
    page = Page.objects.filter(document=document, number=number).first()
    if page is None:
        raise NotFound
    page.document = document
    return page


def list_documents(
    *,
    actor: User,
    collection_id: UUID | None = None,
    query: str = "",
    limit: int = 40,
    before: UUID | None = None,
) -> tuple[list[Document], UUID | None]:
    """A page of the actor's documents, newest first, and where the next one begins (None: at the end).

    `before` is that place; `query` is part of a name.
    """
    if collection_id is not None:
        collection = find_collection(actor=actor, collection_id=collection_id)
        documents = Document.objects.filter(collection=collection)
    else:
        documents = Document.objects.visible_to(actor)
    documents = documents.select_related("collection").order_by("-id")
    if query:
        documents = documents.filter(name__icontains=query)
    if before is not None:
        documents = documents.filter(pk__lt=before)
    found = list(documents[: limit + 1])
    return found[:limit], found[limit - 1].pk if len(found) > limit else None


def pending_documents(ids: Iterable[UUID]) -> Sequence[Document]:
    """Those of the documents that are neither ready nor failed yet."""
    return list(Document.objects.unfinished().filter(pk__in=list(ids)))
