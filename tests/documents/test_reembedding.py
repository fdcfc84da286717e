"""Another embedding model: vectors are made anew behind a search that never stops, which then moves over."""

import pytest
from pytest_django import Settings

from accounts.models import User
from documents.ingest.reembedding import continue_reembedding
from documents.models import Document, Embedding, VectorSpace
from documents.retrieval.search import search
from documents.vectors import current_space
from inference.models import Deployment
from inference.queries import forget_estate
from tests.documents import files
from tests.documents.conftest import Upload, register_embeddings
from tests.openai_server import Refusal, ScriptedServer

pytestmark = pytest.mark.django_db(transaction=True)

HARBOUR = "\n\n".join(files.SENTENCES).encode()


@pytest.fixture
def another(embedder: ScriptedServer) -> ScriptedServer:
    """A second model beside the scripted one; choose it by its name, `another`."""
    register_embeddings(embedder.url, "another", embedder.dimensions)
    forget_estate()
    return embedder


def spaces() -> dict[str, tuple[bool, bool]]:
    return {space.name: (space.is_active, space.is_complete) for space in VectorSpace.objects.all()}


def test_administrator_chooses_another_model_and_search_moves_when_all_is_embedded(
    another: ScriptedServer, ingest: Upload, ada: User, settings: Settings
) -> None:
    first = ingest(HARBOUR, "first.txt")
    assert spaces() == {"scripted": (True, True)}
    settings.EMBEDDING_MODEL = "another"

    continue_reembedding(seconds=-1)
    assert spaces() == {"scripted": (True, True), "another": (False, False)}
    meanwhile = ingest(b"A document that came in between: the quay was paved.", "meanwhile.txt")
    assert {hit.document_id for hit in search(user=ada, query="the quay")} >= {meanwhile.pk}
    assert current_space().name == "scripted"

    continue_reembedding()
    space = VectorSpace.objects.get(name="another")
    assert space.is_active
    assert space.chunks_done == Embedding.objects.filter(space=space).count() > 0
    continue_reembedding()
    assert spaces() == {"another": (True, True)}
    assert {row.document_id for row in Embedding.objects.all()} == {first.pk, meanwhile.pk}
    hits = search(user=ada, query="lighthouse")
    assert hits[0].document_id == first.pk
    assert hits[0].similarity is not None


def test_new_model_that_is_away_leaves_the_earlier_one_searched(
    another: ScriptedServer, ingest: Upload, ada: User, settings: Settings
) -> None:
    ingest(HARBOUR)
    settings.EMBEDDING_MODEL = "another"
    another.answer_everything = Refusal(400)
    continue_reembedding()
    another.answer_everything = None
    assert VectorSpace.objects.get(is_active=True).name == "scripted"
    assert search(user=ada, query="lighthouse")[0].similarity is not None


def test_earlier_model_that_is_gone_hands_over_at_once_and_words_still_find(
    another: ScriptedServer, ingest: Upload, ada: User, settings: Settings
) -> None:
    document = ingest(HARBOUR, "first.txt")
    settings.EMBEDDING_MODEL = "another"
    Deployment.objects.filter(model__name="scripted").delete()
    forget_estate()
    assert search(user=ada, query="lighthouse")[0].document_id == document.pk
    ingest(b"The quay was paved in autumn.", "second.txt")
    assert spaces()["another"] == (True, False)
    # Words alone find it, beside what the vectors say of the other one.
    assert document.pk in [hit.document_id for hit in search(user=ada, query="lighthouse")]
    continue_reembedding()
    assert spaces() == {"another": (True, True)}


def test_choice_taken_back_leaves_nothing_behind(
    another: ScriptedServer, ingest: Upload, ada: User, settings: Settings
) -> None:
    ingest(HARBOUR)
    settings.EMBEDDING_MODEL = "another"
    continue_reembedding(seconds=-1)
    settings.EMBEDDING_MODEL = "scripted"
    continue_reembedding()
    assert spaces() == {"scripted": (True, True)}
    assert Document.objects.count() == 1
