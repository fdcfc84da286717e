"""What a log line holds."""

import json
import logging
import sys

from config.logging import JsonFormatter, ReadableFormatter
from inference.tracing import reply_span


def record_with(**extra: object) -> logging.LogRecord:
    logger = logging.getLogger("chat.replies")
    return logger.makeRecord(
        logger.name, logging.INFO, __file__, 1, "Reply %s ended", ("r1",), None, extra=extra
    )


def test_collector_reads_an_event_as_one_json_object():
    event = json.loads(JsonFormatter().format(record_with(tokens=12, seconds=0.5)))
    assert event.pop("time").endswith("+00:00")
    assert event == {
        "level": "INFO",
        "logger": "chat.replies",
        "message": "Reply r1 ended",
        "tokens": 12,
        "seconds": 0.5,
    }


def test_collector_reads_a_traceback_in_the_same_object():
    record = record_with()
    try:
        raise ValueError("broken")
    except ValueError:
        record.exc_info = sys.exc_info()
    assert "ValueError: broken" in json.loads(JsonFormatter().format(record))["traceback"]


def test_person_reads_an_event_as_one_line():
    line = ReadableFormatter().format(record_with(tokens=12))
    assert line.endswith("INFO chat.replies: Reply r1 ended tokens=12")


def test_lines_of_a_reply_are_joined_by_its_id():
    with reply_span("r1"):
        event = json.loads(JsonFormatter().format(record_with(tokens=12)))
        line = ReadableFormatter().format(record_with())
    assert (event["reply"], event["tokens"]) == ("r1", 12)
    assert line.endswith(" reply=r1")
    assert "reply" not in json.loads(JsonFormatter().format(record_with()))
