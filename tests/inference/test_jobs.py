"""Pulling and loading models without waiting on a page: progress, cancelling, a worker that dies."""

import threading
import uuid
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings
from django.db import connections

from accounts.errors import NotAllowed
from accounts.models import User
from inference.errors import ModelNameRefused, OperationUnsupported
from inference.estate import jobs
from inference.estate.work import cancel_job, start_job
from inference.models import Deployment, Server
from tests.inference.ollama_library import OllamaLibrary
from tests.openai_server import ScriptedServer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def library(server: ScriptedServer) -> OllamaLibrary:
    return OllamaLibrary(server)


@pytest.fixture
def shelf(library: OllamaLibrary) -> Server:
    return Server.objects.create(name="shelf", kind="ollama", base_url=library.server.url)


@pytest.fixture
def worker() -> Iterator[threading.Thread]:
    """What a worker does, in a thread of this process; started by the test, gone at its end."""

    def work() -> None:
        jobs.run_jobs()
        connections.close_all()

    thread = threading.Thread(target=work)
    yield thread
    thread.join(20)
    assert not thread.is_alive()


def job_now(server: Server) -> jobs.Job:
    (job,) = jobs.list_jobs(server.pk)
    return job


def test_pull_brings_a_model_and_its_rows(administrator: User, shelf: Server) -> None:
    start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name=" llama3.2:3b ")
    assert job_now(shelf).state == "waiting"
    jobs.run_jobs()
    job = job_now(shelf)
    assert (job.state, job.error) == ("done", "")
    assert job.done_bytes == job.total_bytes == 2_000_000_000
    assert Deployment.objects.filter(server=shelf, remote_name="llama3.2:3b", missing_since=None).exists()


def test_same_pull_asked_for_twice_is_one(administrator: User, shelf: Server, library: OllamaLibrary) -> None:
    asked = [
        start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name="llama3.2:3b").id
        for _ in range(2)
    ]
    jobs.run_jobs()
    assert asked[0] == asked[1]
    assert library.pulls == ["llama3.2:3b"]


def test_progress_is_seen_while_it_runs_and_cancelling_ends_it(
    administrator: User, shelf: Server, library: OllamaLibrary, worker: threading.Thread
) -> None:
    library.seconds_between_lines = 0.6
    job = start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name="llama3.2:3b")
    worker.start()
    library.server.wait_until(lambda: 0 < job_now(shelf).done_bytes < 2_000_000_000, 20)
    assert job_now(shelf).total_bytes == 2_000_000_000
    cancel_job(actor=administrator, job_id=job.id)
    library.server.wait_until(lambda: job_now(shelf).state == "cancelled", 20)


def test_cancelled_before_its_turn_it_never_begins(
    administrator: User, shelf: Server, library: OllamaLibrary
) -> None:
    job = start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name="llama3.2:3b")
    cancel_job(actor=administrator, job_id=job.id)
    jobs.run_jobs()
    assert job_now(shelf).state == "cancelled"
    assert library.pulls == []


@pytest.mark.parametrize(
    ("name", "is_cut", "words"), [("nobody/nothing", False, "library"), ("llama3.2:3b", True, "connection")]
)
def test_failed_pull_says_what_to_do(
    administrator: User, shelf: Server, library: OllamaLibrary, name: str, is_cut: bool, words: str
) -> None:
    library.is_cut = is_cut
    start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name=name)
    jobs.run_jobs()
    job = job_now(shelf)
    assert job.state == "failed"
    assert words in job.error


def test_load_brings_a_model_into_memory(administrator: User, shelf: Server, library: OllamaLibrary) -> None:
    start_job(actor=administrator, verb="load", server_id=shelf.pk, model_name="qwen2.5:0.5b")
    jobs.run_jobs()
    assert job_now(shelf).state == "done"
    assert library.loaded == {"qwen2.5:0.5b"}


def test_job_of_a_dead_worker_is_begun_again(
    administrator: User, shelf: Server, library: OllamaLibrary
) -> None:
    job = start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name="llama3.2:3b")
    job.state = "running"
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        jobs._write(client, job)
        client.set(jobs._lock_key(), "the dead one", px=int(jobs.LEASE_SECONDS * 1000))
        jobs.run_jobs()
        assert library.pulls == []
        client.delete(jobs._lock_key())
    jobs.run_jobs()
    assert job_now(shelf).state == "done"


@pytest.mark.parametrize("name", ["", "  ", "two words", "x" * 201])
def test_name_that_is_none_is_refused(administrator: User, shelf: Server, name: str) -> None:
    with pytest.raises(ModelNameRefused):
        start_job(actor=administrator, verb="pull", server_id=shelf.pk, model_name=name)


def test_server_of_another_kind_and_another_person_are_refused(
    administrator: User, visitor: User, shelf: Server
) -> None:
    rack = Server.objects.create(name="rack", kind="vllm", base_url=shelf.base_url)
    with pytest.raises(OperationUnsupported):
        start_job(actor=administrator, verb="pull", server_id=rack.pk, model_name="a")
    with pytest.raises(NotAllowed):
        start_job(actor=visitor, verb="pull", server_id=shelf.pk, model_name="a")
    with pytest.raises(NotAllowed):
        cancel_job(actor=visitor, job_id=uuid.uuid4().hex)
