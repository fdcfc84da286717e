"""`manage.py serve`: what the web process says of itself, and how it ends."""

import http.client
import os
import signal
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.processes import ROOT, START_SECONDS, start_web, stopped_at_end

# pytest-django makes the database only for tests that say they want one.
pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def web(django_db_setup, tmp_path_factory):
    """One web process for the module; the last test ends it."""
    process = start_web(tmp_path_factory.mktemp("serve"))
    with stopped_at_end(process):
        yield process


def test_visitor_is_not_told_what_serves(web):
    connection = http.client.HTTPConnection(urlsplit(web.url).netloc)
    connection.request("GET", "/no-such-page/")
    assert connection.getresponse().getheader("server") is None
    connection.close()


def test_visitor_cannot_name_the_place_where_parlour_lies(web):
    connection = http.client.HTTPConnection(urlsplit(web.url).netloc)
    connection.request("GET", "/settings/", headers={"Daphne-Root-Path": "/elsewhere"})
    assert connection.getresponse().getheader("location", "").startswith("/accounts/login/")
    connection.close()


def test_web_process_on_a_taken_port_ends_with_an_error(web):
    command = [sys.executable, "manage.py", "serve", "--port", str(urlsplit(web.url).port)]
    second = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, timeout=60)
    assert second.returncode == 1
    assert "Couldn't listen on" in second.stderr


def test_operator_ends_the_web_process_in_order(web):
    web.popen.send_signal(signal.SIGTERM)
    assert web.popen.wait(START_SECONDS) == 0
    assert "Traceback" not in web.log_text
