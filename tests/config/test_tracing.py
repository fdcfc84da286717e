"""One trace from the socket to the model server, sent to a collector on loopback; nothing at all without a setting."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiohttp
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from inference.models import Model
from tests.chat.conftest import (  # noqa: F401  (fixtures)
    estate,
    key,
    model_server,
    shared_model_server,
)
from tests.openai_server import ScriptedServer
from tests.processes import ROOT, Process, child_environment, start_web, stopped_at_end


class Collector(ThreadingHTTPServer):
    """Keeps the spans that OTLP over HTTP brings."""

    def __init__(self) -> None:
        self.spans: list[dict[str, object]] = []
        super().__init__(("127.0.0.1", 0), _Receiver)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def wait_for(self, *names: str) -> dict[str, dict[str, object]]:
        """The first span of each name, once all are there."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found: dict[str, dict[str, object]] = {}
            for span in list(self.spans):
                found.setdefault(str(span["name"]), span)
            if all(name in found for name in names):
                return found
            time.sleep(0.05)
        raise AssertionError(f"no spans {names} among {[span['name'] for span in self.spans]}")


class _Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["content-length"])))
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                for span in scope.spans:
                    attributes = {
                        attribute.key: attribute.value.string_value for attribute in span.attributes
                    }
                    self.server.spans.append(  # type: ignore[attr-defined]
                        {
                            "name": span.name,
                            "trace": span.trace_id.hex(),
                            "id": span.span_id.hex(),
                            "parent": span.parent_span_id.hex(),
                            **attributes,
                        }
                    )
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        return None


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.serve_forever)
    thread.start()
    yield collector
    collector.shutdown()
    collector.server_close()
    thread.join()


@pytest.fixture
def traced_web(estate: Model, collector: Collector, tmp_path: Path) -> Iterator[Process]:  # noqa: F811
    process = start_web(
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="200",
        LOG_FORMAT="json",
    )
    with stopped_at_end(process):
        yield process


async def say(web: Process, key: str) -> str:  # noqa: F811
    """A message over the socket; the reply's id once it has ended."""
    headers = {"Authorization": f"Bearer {key}"}
    url = f"{web.url.replace('http', 'ws')}/ws/chat/"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, headers=headers) as socket:
        await socket.send_json({"type": "send", "request_id": "1", "text": "Hello"})
        async for message in socket:
            event = message.json()
            if event.get("type") == "status" and event["status"] in {"complete", "failed"}:
                return str(event["reply"])
    raise AssertionError("the reply did not end")


async def test_one_trace_goes_from_the_socket_to_the_model_server(
    traced_web: Process,
    key: str,  # noqa: F811
    collector: Collector,
    model_server: ScriptedServer,  # noqa: F811
) -> None:
    reply = await say(traced_web, key)
    spans = collector.wait_for("frame send", "reply", "call scripted")
    frame, own, call = spans["frame send"], spans["reply"], spans["call scripted"]
    assert frame["trace"] == own["trace"] == call["trace"]
    assert own["parent"] == frame["id"]
    assert call["parent"] == own["id"]
    assert own["reply.id"] == reply
    assert model_server.chats[0].headers["traceparent"].startswith(f"00-{call['trace']}-{call['id']}-")


async def test_request_goes_on_with_its_callers_trace(
    traced_web: Process,
    key: str,  # noqa: F811
    collector: Collector,
    model_server: ScriptedServer,  # noqa: F811
) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"Authorization": f"Bearer {key}", "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    body = {"model": "pace-0", "messages": [{"role": "user", "content": "Hi"}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{traced_web.url}/v1/chat/completions", json=body, headers=headers) as response,
    ):
        assert response.status == 200
    spans = collector.wait_for("POST", "call scripted")
    assert spans["POST"]["trace"] == spans["call scripted"]["trace"] == trace
    assert spans["POST"]["url.path"] == "/v1/chat/completions"
    assert "Hi" not in json.dumps(collector.spans)


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=child_environment(**environment),
        capture_output=True,
        text=True,
        check=True,
    )


START = "import django; django.setup(); from config.tracing import start_tracing; start_tracing('web'); import sys; "


@pytest.mark.django_db
def test_nothing_is_imported_where_nothing_is_asked_for() -> None:
    code = "import os; os.environ['DJANGO_SETTINGS_MODULE']='config.settings'; import config.asgi; " + START
    # Metrics redis-py imports by itself where it finds them.
    done = run_python(
        code + "print([name for name in sys.modules if 'sdk.trace' in name or 'exporter' in name])"
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1"),
        (
            "APPLICATIONINSIGHTS_CONNECTION_STRING",
            "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:1/",
        ),
    ],
)
def test_operator_is_told_what_to_install(name: str, value: str) -> None:
    hidden = "import sys; sys.modules['opentelemetry'] = None; "
    done = run_python(hidden + START, **{name: value, "DJANGO_SETTINGS_MODULE": "config.settings"})
    assert f"{name} asks for traces, but OpenTelemetry is not installed here" in done.stderr
    assert "pip install -r requirements/tracing.txt" in done.stderr


@pytest.mark.django_db
def test_azure_monitor_gets_an_exporter_of_its_own() -> None:
    connection = (
        "InstrumentationKey=00000000-0000-0000-0000-000000000000;IngestionEndpoint=http://127.0.0.1:1/"
    )
    code = "from config import tracing; print([type(e).__name__ for e in tracing._exporters()])"
    done = run_python(
        "import django; django.setup(); " + code,
        APPLICATIONINSIGHTS_CONNECTION_STRING=connection,
        DJANGO_SETTINGS_MODULE="config.settings",
    )
    assert done.stdout.strip() == "['AzureMonitorTraceExporter']"
