"""What tests of documents start from: two people, a program with a key, a model that embeds, files that exist."""

import uuid
from collections.abc import Callable, Iterator

import pytest
from django.core.files.base import ContentFile
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from accounts.models import User
from accounts.services import create_api_key
from documents.ingest import claims
from documents.ingest.pipeline import ingest_next
from documents.models import Collection, Document
from documents.services import store_upload
from inference.models import Capability, Deployment, Model, Server
from inference.queries import forget_estate
from tests.openai_server import ScriptedServer


@pytest.fixture(autouse=True)
def heart_that_sees(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test in one transaction shows its rows to no other connection: the heartbeat would take every claim for lost,
    once a loaded machine is slower than its first beat."""
    marker = request.node.get_closest_marker("django_db")
    has_own = marker is not None and marker.kwargs.get("transaction", False)
    if not has_own and "transactional_db" not in request.fixturenames:
        monkeypatch.setattr(claims, "HEARTBEAT_SECONDS", 3600)


@pytest.fixture
def ada(db: None) -> User:
    return User.objects.create_user("ada@example.org")


@pytest.fixture
def eve(db: None) -> User:
    return User.objects.create_user("eve@example.org")


def program_of(user: User) -> Client:
    return Client(headers={"authorization": f"Bearer {create_api_key(actor=user, name='test')[1]}"})


@pytest.fixture
def program(ada: User) -> Client:
    """Ada's program, with her key."""
    return program_of(ada)


@pytest.fixture
def stranger(eve: User) -> Client:
    """Eve's program."""
    return program_of(eve)


@pytest.fixture
def embedder(db: None, settings: Settings) -> Iterator[ScriptedServer]:
    """A scripted server that embeds: the same text has the same vector, and nothing else is true of it."""
    with ScriptedServer() as scripted:
        settings.EMBEDDING_MODEL = "scripted"
        register_embeddings(scripted.url, "scripted", scripted.dimensions)
        yield scripted
    forget_estate()


def register_embeddings(url: str, name: str, dimensions: int) -> None:
    server = Server.objects.create(name=f"embeds {name}", base_url=url)
    model = Model.objects.create(name=name, capabilities=[Capability.EMBEDDINGS], dimensions=dimensions)
    Deployment.objects.create(id=uuid.uuid4(), model=model, server=server, remote_name=name)
    forget_estate()


Upload = Callable[..., Document]


@pytest.fixture
def upload(ada: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Upload:
    """Stores bytes as an upload of Ada's, or of `actor`."""

    def store(
        data: bytes, name: str = "notes.txt", *, actor: User = ada, collection: Collection | None = None
    ) -> Document:
        with django_capture_on_commit_callbacks(execute=True):
            collection_id = collection.pk if collection else None
            return store_upload(
                actor=actor, file=ContentFile(data, name), name=name, collection_id=collection_id
            )

    return store


@pytest.fixture
def ingest(embedder: ScriptedServer, upload: Upload) -> Upload:
    """Stores bytes and runs the ingest here, to its end; the document as it is then."""

    def run(data: bytes, name: str = "notes.txt", **options: object) -> Document:
        document = upload(data, name, **options)
        while ingest_next() is not None:
            continue
        document.refresh_from_db()
        return document

    return run
