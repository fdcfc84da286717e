"""What browser tests start from: a real Chromium, a real web process, a scripted model, a person.

Every page is watched: an error in its console, above all a violation of the content security policy, fails the
test. Without a Chromium on the machine the tests are skipped.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from accounts.models import User
from characters.models import Character
from characters.services import seed_cast
from inference.models import Model
from tests.chat.conftest import (  # noqa: F401  (fixtures)
    estate,
    model_server,
    shared_model_server,
    shared_web,
    web,
)
from tests.processes import Process, start_web, start_worker, stopped_at_end

NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
# A test's browser talks to nobody but the page; as root Chromium has no sandbox of its own.
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# A machine that runs other things beside the tests is slow, not wrong.
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)
# A request may lie between two looks; not between so many.
QUIET_LOOKS = 4
QUIET_SECONDS = 10
DESKTOP = {"width": 1280, "height": 860}
PHONE = {"width": 390, "height": 844}

# Opens a page for a person, None for one who is not signed in.
OpenPage = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser/" in item.nodeid:
            item.add_marker(pytest.mark.browser)
            # A browser, a worker and three servers on two cores: the report names every test that needed this.
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The machine's Chromium, for all browser tests; gone before the tests of other packages run their loops."""
    program = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("No Chromium on this machine; set CHROMIUM to the path of one to run the browser tests.")
    # Playwright keeps an event loop on this thread, and Django's guard takes every query there for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def house(estate: Model, web: Process) -> str:  # noqa: F811
    """The address of a house with one model, the scripted one, and nobody in it."""
    return web.url


@pytest.fixture(scope="package")
def reading_house(
    django_db_setup: None, embedding_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Process]:
    """A web process and a worker that reads: the real embedding model behind both."""
    folder = tmp_path_factory.mktemp("reading")
    # Titles wait in the other queue: asking for them would use up the scripts of the tests.
    process, worker = start_web(folder, UPLOAD_MAX_MEGABYTES="1"), start_worker(folder, queues="ingest")
    with stopped_at_end(process, worker):
        yield process


@pytest.fixture
def cast(house: str) -> list[Character]:
    """The house's own characters. Painting them takes seconds, so only who meets them asks for them."""
    return seed_cast()


@pytest.fixture
def ada(house: str) -> User:
    return User.objects.create_user("ada@example.com", "a long enough password")


@pytest.fixture
def open_page(chromium: Browser, house: str) -> Iterator[OpenPage]:
    """Opens pages: `open_page(person, size=PHONE)`. Pages of one person share nothing but the server."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def watch(message: ConsoleMessage) -> None:
        # What the server refuses is logged by the browser too; tests look at what the page makes of it.
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def open_one(person: User | None = None, size: dict[str, int] = DESKTOP, **options: object) -> Page:
        context = chromium.new_context(viewport=size, base_url=house, reduced_motion="reduce", **options)
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        if person is not None:
            sign_in(context, person, house)
        page = context.new_page()
        page.on("console", watch)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_one
    for context in contexts:
        context.close()
    await_quiet_database()
    assert complaints == []


def await_quiet_database() -> None:
    """Returns once the web process asks nothing more: emptying the tables would deadlock with what a page, or the
    end of a reply, has just asked for."""
    busy = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND backend_type = 'client backend' AND state <> 'idle' AND pid <> pg_backend_pid()"""
    quiet_looks = 0
    deadline = time.monotonic() + QUIET_SECONDS
    while quiet_looks < QUIET_LOOKS and time.monotonic() < deadline:
        with connection.cursor() as cursor:
            cursor.execute(busy)
            quiet_looks = quiet_looks + 1 if cursor.fetchone() == (0,) else 0
        time.sleep(0.05)


def sign_in(context: BrowserContext, person: User, url: str) -> None:
    """As if the person had signed in before; the sign-in page has tests of its own."""
    client = Client()
    client.force_login(person, backend="allauth.account.auth_backends.AuthenticationBackend")
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])
