"""The ingest as a whole: every kind of file becomes searchable, bad ones fail alone, twice is harmless."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models import Value
from django.db.models.functions import Length, Substr
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import User
from documents.ingest import claims, pipeline, reading
from documents.ingest.claims import ClaimLost, claim_next, claimed, keep_alive
from documents.ingest.progress import Progress
from documents.ingest.run import Run
from documents.models import Chunk, CollectionKind, Document, Embedding, Page, Turn
from documents.services import create_collection, delete_document
from tests.documents import files
from tests.documents.conftest import Upload
from tests.openai_server import Refusal, ScriptedServer

LONG_TEXT = "\n\n".join(f"Paragraph {n}. {' '.join(files.SENTENCES)}" for n in range(80)).encode()


def assert_whole(document: Document) -> None:
    """Ready, each chunk once and a span of its page, each with exactly one vector."""
    document.refresh_from_db()
    assert (document.status, document.progress, document.error_code) == ("ready", 1.0, "")
    chunks = list(document.chunks.all())
    texts = dict(document.pages.values_list("number", "text"))
    assert len(texts) == document.page_count
    assert [chunk.ordinal for chunk in chunks] == list(range(document.chunk_count))
    assert all(texts[chunk.page][chunk.start : chunk.end].strip() for chunk in chunks)
    embedded = list(Embedding.objects.filter(document=document).values_list("chunk_id", flat=True))
    assert sorted(embedded) == sorted(chunk.pk for chunk in chunks if not chunk.is_reference)


def expire_claims() -> None:
    """As when the worker was killed and the lease has run out."""
    Document.objects.update(claim_expires_at=timezone.now() - timedelta(seconds=1))


_REFUSING_PAGES = """
CREATE FUNCTION refuse_cursed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN IF NEW.text LIKE '%cursed%' THEN RAISE 'cursed'; END IF; RETURN NEW; END $$;
CREATE TRIGGER refuse_cursed BEFORE INSERT ON documents_page FOR EACH ROW EXECUTE FUNCTION refuse_cursed();
"""


@pytest.mark.parametrize(
    ("data", "name", "pages"),
    [
        (files.make_pdf([list(files.SENTENCES), ["The end of the story."]], title="Linden"), "a.pdf", 2),
        (files.make_docx(), "b.docx", 2),
        (b"# Harbour\n\n" + LONG_TEXT[:500], "c.md", 1),
        (LONG_TEXT, "d.txt", 7),
    ],
    ids=["PDF", "Word", "Markdown", "text"],
)
def test_owner_uploads_a_file_and_it_is_ready(ingest: Upload, data: bytes, name: str, pages: int) -> None:
    document = ingest(data, name)
    assert_whole(document)
    assert document.page_count == pages
    assert document.language == "english"
    assert document.ready_at is not None
    assert document.claim is None


def test_document_is_embedded_with_its_title_before_the_text(
    ingest: Upload, embedder: ScriptedServer
) -> None:
    ingest(files.make_pdf([list(files.SENTENCES)], title="Ships of Linden"), "scan0042.pdf")
    ingest(b"Short words.", "meeting_notes-2021.txt")
    inputs = [text for request in embedder.embedding_requests for text in request.body["input"]]
    assert any(text.startswith("Ships of Linden\n") for text in inputs)
    assert "meeting notes 2021\nShort words." in inputs


def test_one_bad_file_fails_with_a_reason_and_the_others_are_ready(ingest: Upload) -> None:
    bad = ingest(files.make_zip_bomb_docx(), "bomb.docx")
    good = ingest(LONG_TEXT)
    assert (bad.status, bad.error_code, bad.chunk_count) == ("failed", "content_too_large", 0)
    assert bad.claim is None
    assert_whole(good)


def test_document_that_is_ready_is_left_alone(ingest: Upload, embedder: ScriptedServer) -> None:
    document = ingest(LONG_TEXT)
    asked = len(embedder.embedding_requests)
    assert pipeline.ingest_next() is None
    assert len(embedder.embedding_requests) == asked
    assert_whole(document)


def test_next_run_embeds_only_what_a_killed_one_left(ingest: Upload, embedder: ScriptedServer) -> None:
    document = ingest(LONG_TEXT * 3)
    chunks = list(document.chunks.values_list("pk", flat=True))
    Embedding.objects.filter(chunk__in=chunks[10:]).delete()
    Document.objects.filter(pk=document.pk).update(status="embedding", progress=0.3)
    expire_claims()
    pages_before = list(document.pages.values_list("pk", flat=True))
    embedder.forget()
    pipeline.ingest_next()
    assert_whole(document)
    assert list(document.pages.values_list("pk", flat=True)) == pages_before
    embedded = [text for request in embedder.embedding_requests for text in request.body["input"]]
    assert len(embedded) == len(chunks) - 10


def test_two_runs_never_hold_the_same_document(upload: Upload) -> None:
    document = upload(LONG_TEXT)
    first = claim_next()
    assert first is not None
    assert first.document_id == document.pk
    assert claim_next() is None
    expire_claims()
    second = claim_next()
    assert second is not None
    assert keep_alive([first]) == {document.pk}
    with pytest.raises(ClaimLost), claimed(first):
        pytest.fail("the old claim must not write")
    with claimed(second):
        pass


def test_owner_deletes_a_document_while_it_is_read_and_nothing_of_it_stays(
    upload: Upload,
    ada: User,
    embedder: ScriptedServer,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    document = upload(LONG_TEXT)
    claim = claim_next()
    assert claim is not None
    with django_capture_on_commit_callbacks(execute=True):
        delete_document(actor=ada, document_id=document.pk)
    with claims.heartbeat([claim]) as pulse:
        assert pipeline.run_lot([claim], pulse) == []
    assert not Page.objects.exists()
    assert not Chunk.objects.exists()
    assert not default_storage.exists(document.blob_name)


def test_document_waits_while_the_embedding_server_is_away(ingest: Upload, embedder: ScriptedServer) -> None:
    embedder.embedding_refusals.append(Refusal(401))
    document = ingest(LONG_TEXT)
    assert (document.status, document.error_code, document.attempts) == ("queued", "", 0)
    assert document.chunk_count > 0
    assert pipeline.ingest_next() is None
    expire_claims()
    pipeline.ingest_next()
    assert_whole(document)


def test_document_whose_text_the_embedding_server_refuses_fails_and_is_not_asked_again(
    ingest: Upload, embedder: ScriptedServer
) -> None:
    embedder.embedding_refusals.append(Refusal(400))
    document = ingest(LONG_TEXT)
    assert (document.status, document.error_code) == ("failed", "embeddings_unusable")
    assert not document.chunks.exists()


def test_next_run_after_a_kill_between_reading_and_embedding_is_whole(
    upload: Upload, embedder: ScriptedServer
) -> None:
    document = upload(LONG_TEXT)
    claim = claim_next()
    assert claim is not None
    with claims.heartbeat([claim]) as pulse:
        reading.extract(Run(claim, document, Progress(claim, document), pulse))
    expire_claims()
    pipeline.ingest_next()
    assert_whole(document)
    assert document.chunk_count > 1
    assert document.title == "notes"


def test_file_that_kills_its_worker_every_time_fails_at_last(
    upload: Upload, embedder: ScriptedServer
) -> None:
    document = upload(LONG_TEXT)
    for _ in range(pipeline.ATTEMPTS_MAX):
        assert claim_next() is not None
        expire_claims()
    pipeline.ingest_next()
    document.refresh_from_db()
    assert (document.status, document.error_code) == ("failed", "reading_interrupted")


def test_one_persons_many_files_do_not_hold_up_another_ones_single_file(
    upload: Upload, ada: User, eve: User
) -> None:
    many = [upload(b"Text.", f"{n}.txt") for n in range(5)]
    single = upload(b"Text.", "eve.txt", actor=eve)
    order = []
    while claim := claim_next():
        order.append(claim.document_id)
    assert order.index(single.pk) <= 1
    assert [document.pk for document in many] == [pk for pk in order if pk != single.pk]


def test_file_of_a_conversation_goes_before_its_owners_other_files(upload: Upload, ada: User) -> None:
    upload(b"Text.", "first.txt")
    chat = create_collection(actor=ada, name="Chat", kind=CollectionKind.CHAT)
    attached = upload(b"Text.", "attached.txt", collection=chat)
    claim = claim_next()
    assert claim is not None
    assert claim.document_id == attached.pk
    assert Turn.objects.filter(user=ada).exists()


def test_stored_spans_count_code_points_as_the_database_does(ingest: Upload) -> None:
    document = ingest("😀 Ähre 中文 e\u0301. ".encode() * 200, "mixed.txt")
    texts = dict(document.pages.values_list("number", "text"))
    for chunk in document.chunks.all():
        page = document.pages.filter(number=chunk.page)
        in_database = page.annotate(
            span=Substr("text", Value(chunk.start + 1), Value(chunk.end - chunk.start)), length=Length("text")
        ).get()
        assert in_database.span == texts[chunk.page][chunk.start : chunk.end]
        assert in_database.length == len(texts[chunk.page])


def test_small_files_share_a_lot_and_a_bad_one_among_them_fails_alone(
    upload: Upload, eve: User, embedder: ScriptedServer
) -> None:
    good = [upload(f"Note {n}: the ferry leaves at {n}.".encode(), f"{n}.txt") for n in range(25)]
    bad = upload(b"%PDF-1.7 and nothing that follows", "torn.pdf")
    theirs = upload(b"Eve's one note.", "eve.txt", actor=eve)
    large = upload(LONG_TEXT * 4, "large.txt")
    pipeline.ingest_next()
    asked = len([request for request in embedder.embedding_requests if len(request.body["input"]) > 1])
    assert asked == 1
    for document in (*good, theirs):
        assert_whole(document)
    bad.refresh_from_db()
    assert (bad.status, bad.error_code) == ("failed", "file_damaged")
    large.refresh_from_db()
    assert large.status == "queued"
    pipeline.ingest_next()
    assert_whole(large)


def test_text_that_is_refused_fails_its_own_document_of_a_lot(
    upload: Upload, embedder: ScriptedServer
) -> None:
    first, second = upload(b"The first note.", "1.txt"), upload(b"The second note.", "2.txt")
    # The lot as a whole is refused, then the first alone; the second is taken.
    embedder.embedding_refusals += [Refusal(400), Refusal(400)]
    pipeline.ingest_next()
    first.refresh_from_db()
    assert (first.status, first.error_code) == ("failed", "embeddings_unusable")
    assert_whole(second)


def test_text_that_the_database_refuses_holds_up_none_of_its_lot(
    upload: Upload, embedder: ScriptedServer
) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_REFUSING_PAGES)
    first, cursed, last = (
        upload(f"A {word} note.".encode(), f"{word}.txt") for word in ("first", "cursed", "last")
    )
    pipeline.ingest_next()
    assert_whole(first)
    assert_whole(last)
    cursed.refresh_from_db()
    assert (cursed.status, cursed.claim, cursed.attempts) == ("queued", None, 1)


def test_document_whose_title_has_no_end_is_read(ingest: Upload) -> None:
    page = f"<html><head><title>{'Tides and winds ' * 40}</title></head><body><p>At six.</p></body></html>"
    document = ingest(page.encode(), "tides.html")
    assert_whole(document)
    assert document.title.startswith("Tides and winds")
    assert len(document.title) <= 300


@pytest.mark.parametrize(
    ("first", "title"), [("4983", "4983"), ("notes", "notes"), ("harbour.txt", "Linden")]
)
def test_copy_is_named_after_its_own_file_unless_the_text_says(
    ingest: Upload, first: str, title: str
) -> None:
    """Titles of before numbers were none, names without an end, and titles that the text gave."""
    twin = ingest(b"The harbour opens at six.", first)
    Document.objects.filter(pk=twin.pk).update(title=title)
    copy = ingest(b"The harbour opens at six.", "opening_hours.txt")
    assert copy.title == ("Linden" if title == "Linden" else "opening hours")
