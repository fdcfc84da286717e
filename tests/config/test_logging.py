"""What a log line holds."""

import json
import logging
import sys

from config.logging import JsonFormatter, ReadableFormatter


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
