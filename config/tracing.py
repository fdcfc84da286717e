"""OpenTelemetry traces, where a setting asks for them: to a collector (OTEL_EXPORTER_OTLP_ENDPOINT) or to Azure
Monitor (APPLICATIONINSIGHTS_CONNECTION_STRING).

From the socket frame or the HTTP request over the reply to the model server, which gets the trace context in
`traceparent`. The packages are the extra `tracing` (requirements/tracing.txt), which the image has; none of them
is imported here without one of the two settings (redis-py loads the API of metrics by itself where it finds it, 0.1 s).
The SDK reads the other OTEL_* variables itself: sampler, headers, attributes.
"""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, Scope
from django.conf import settings

from inference import tracing

logger = logging.getLogger(__name__)

MISSING = (
    "%s asks for traces, but OpenTelemetry is not installed here, so there are none. "
    "Install it with: pip install -r requirements/tracing.txt"
)
# Asked every few seconds, each a trace of its own that says nothing.
UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})

_provider: Any = None


def start_tracing(process: str) -> None:
    """Trace this process (`web`, `worker`) if a setting asks for it; to be called after any fork."""
    global _provider
    asking = next(
        (
            name
            for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "APPLICATIONINSIGHTS_CONNECTION_STRING")
            if getattr(settings, name)
        ),
        "",
    )
    if not asking or _provider is not None:
        return
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        exporters = _exporters()
    except ImportError:
        logger.error(MISSING, asking)
        return
    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": f"parlour-{process}"}
    _provider = TracerProvider(resource=Resource.create({"service.namespace": "parlour", **named}))
    for exporter in exporters:
        _provider.add_span_processor(BatchSpanProcessor(exporter))
    tracing.install(_OpenTelemetry(_provider.get_tracer("parlour")))


def stop_tracing() -> None:
    """Send what is left and end."""
    global _provider
    tracing.install(None)
    if _provider is not None:
        _provider.shutdown()
        _provider = None


def _exporters() -> list[Any]:
    exporters: list[Any] = []
    if settings.OTEL_EXPORTER_OTLP_ENDPOINT:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporters.append(OTLPSpanExporter())
    if settings.APPLICATIONINSIGHTS_CONNECTION_STRING:
        # Otherwise it also reports to Microsoft how it is used.
        os.environ.setdefault("APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL", "true")
        from azure.monitor.opentelemetry.exporter import AzureMonitorTraceExporter

        exporters.append(
            AzureMonitorTraceExporter(connection_string=settings.APPLICATIONINSIGHTS_CONNECTION_STRING)
        )
    return exporters


class TracedRequests:
    """ASGI: a span for each HTTP request, below the caller's where it says so. Sockets have one for each frame."""

    def __init__(self, application: ASGI3Application) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        if not tracing.is_tracing() or scope["type"] != "http" or scope["path"] in UNTRACED:
            await self._application(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        method, path = scope["method"], scope["path"]
        with tracing.span(method, headers=headers, http_request_method=method, url_path=path) as span:

            async def note_status(message: Any) -> None:
                if message["type"] == "http.response.start":
                    span.note(http_response_status__code=message["status"])
                    if message["status"] >= 500:
                        span.fail(str(message["status"]))
                await send(message)

            await self._application(scope, receive, note_status)


class _OpenTelemetry:
    """`inference.tracing.Tracing` by OpenTelemetry."""

    def __init__(self, tracer: Any) -> None:
        from opentelemetry import context, propagate, trace

        self._tracer, self._context, self._propagate, self._trace = tracer, context, propagate, trace

    def begin(self, name: str, attributes: Mapping[str, tracing.Attribute]) -> tracing.Span:
        kind = self._trace.SpanKind.CLIENT
        return _Span(self, self._tracer.start_span(name, kind=kind, attributes=attributes))

    @contextmanager
    def enter(
        self, name: str, attributes: Mapping[str, tracing.Attribute], headers: Mapping[str, str]
    ) -> Iterator[tracing.Span]:
        kinds = self._trace.SpanKind
        parent = self._propagate.extract(headers) if headers else None
        with self._tracer.start_as_current_span(
            name, context=parent, kind=kinds.SERVER if headers else kinds.INTERNAL, attributes=attributes
        ) as span:
            yield _Span(self, span)

    @property
    def trace_id(self) -> str:
        context = self._trace.get_current_span().get_span_context()
        return f"{context.trace_id:032x}" if context.is_valid else ""

    @property
    def headers(self) -> Mapping[str, str]:
        return self.headers_of(self._trace.get_current_span())

    def headers_of(self, span: Any) -> dict[str, str]:
        headers: dict[str, str] = {}
        self._propagate.inject(headers, context=self._trace.set_span_in_context(span))
        return headers

    def mark_failed(self, span: Any, code: str) -> None:
        span.set_status(self._trace.Status(self._trace.StatusCode.ERROR, code))


class _Span:
    """`inference.tracing.Span` around OpenTelemetry's."""

    def __init__(self, tracing: _OpenTelemetry, span: Any) -> None:
        self._tracing, self._span = tracing, span

    @property
    def headers(self) -> Mapping[str, str]:
        return self._tracing.headers_of(self._span)

    def note(self, **attributes: tracing.Attribute) -> None:
        self._span.set_attributes(tracing.dotted(attributes))

    def fail(self, code: str) -> None:
        self.note(error_type=code)
        self._tracing.mark_failed(self._span, code)

    def end(self) -> None:
        if self._span.is_recording():
            self._span.end()
