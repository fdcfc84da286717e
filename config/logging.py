"""How the house logs: one line an event, readable on a laptop, JSON where LOG_FORMAT=json.

What a call passes as `extra` (ids, durations, token counts) becomes fields of the event; lines written on behalf of
a reply carry its id as `reply`, and those of a trace its id as `trace`, so that they can be joined. Prompts, document
text and keys are never logged; that is up to the callers, and to keeping chatty libraries at WARNING.
"""

import json
import logging
from datetime import UTC, datetime

from inference.tracing import current_reply, current_trace_id

# Fields of every record; what else it carries came in as `extra`. Django adds its whole request.
STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "request"}
# At INFO these name every request they make, some of them with its address and headers.
CHATTY = ("aiohttp", "azure", "botocore", "daphne", "httpcore", "httpx", "kombu", "msal", "openai", "urllib3")


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: time (UTC, ISO 8601), level, logger, message, its extra fields, traceback."""

    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            event["traceback"] = self.formatException(record.exc_info)
        return json.dumps(event, default=str, ensure_ascii=False)


class ReadableFormatter(logging.Formatter):
    """A record as a line for people: time of day, level, logger, message, extra fields as name=value."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _extra(record).items())
        return super().formatMessage(record) + fields


def logging_config(*, is_json: bool, level: str) -> dict[str, object]:
    """A `logging.config` dictionary that sends everything to the standard error."""
    formatter = JsonFormatter if is_json else ReadableFormatter
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"event": {"()": f"{__name__}.{formatter.__name__}"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "event"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            **{name: {"level": "WARNING"} for name in CHATTY},
            # A page that is not there is the visitor's matter; what broke is ours.
            "django.request": {"level": "ERROR"},
        },
    }


def _extra(record: logging.LogRecord) -> dict[str, object]:
    joining = {"reply": current_reply.get(), "trace": current_trace_id()}
    given = {name: value for name, value in vars(record).items() if name not in STANDARD_FIELDS}
    return {name: value for name, value in joining.items() if value} | given
