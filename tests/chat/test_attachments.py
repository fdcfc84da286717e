"""Files that come in through a chat: they are that conversation's own, and go with it."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from accounts.models import User
from chat import posting, services
from chat.choices import Choices
from chat.models import Reply, ReplyStatus
from chat.posting import NewPost
from documents.models import Collection, Document
from documents.services import store_upload
from inference.models import Capability, Deployment, Model, Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    server = Server.objects.create(name="here", base_url="http://127.0.0.1:1/v1")
    model = Model.objects.create(name="talker", capabilities=[Capability.CHAT], is_default=True)
    Deployment.objects.create(model=model, server=server, remote_name="talker")
    return User.objects.create_user("ada@example.com")


def attach(ada: User, text: bytes) -> Document:
    return store_upload(actor=ada, file=ContentFile(text), name="note.txt", is_for_chat=True)


def post(ada: User, *documents: Document, conversation_id=None):
    choices = Choices(documents=[document.pk for document in documents])
    posted = posting.post_message(
        NewPost(actor=ada, text="What is this?", choices=choices, conversation_id=conversation_id)
    )
    Reply.objects.filter(pk=posted.reply.pk).update(status=ReplyStatus.COMPLETE)
    return posted.conversation


def test_file_of_the_composer_becomes_the_conversations_own_when_it_is_sent(ada: User) -> None:
    first = attach(ada, b"The first note.")
    conversation = post(ada, first)
    collection = conversation.collections.get()
    assert (collection.kind, collection.owner, collection.name) == ("chat", ada, "What is this?")
    second = attach(ada, b"The second note.")
    unsent = attach(ada, b"Not sent.")
    post(ada, second, conversation_id=conversation.pk)
    assert set(collection.documents.all()) == {first, second}
    unsent.refresh_from_db()
    assert unsent.collection.kind == "inbox"
    assert not Collection.objects.filter(kind="library").exists()


def test_document_of_the_library_stays_there_when_it_is_attached(ada: User) -> None:
    document = store_upload(actor=ada, file=ContentFile(b"A book."), name="book.txt")
    conversation = post(ada, document)
    document.refresh_from_db()
    assert document.collection.kind == "library"
    assert not conversation.collections.exists()


def test_conversation_that_is_deleted_takes_its_files_along(
    ada: User, django_capture_on_commit_callbacks
) -> None:
    document = attach(ada, b"The first note.")
    conversation = post(ada, document)
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_conversation(actor=ada, conversation_id=conversation.pk)
    assert not Document.objects.filter(pk=document.pk).exists()
    assert not default_storage.exists(document.blob_name)
    assert not Collection.objects.filter(kind="chat").exists()
