"""JSON of unknown origin: read within bounds, and kept in a form that any column of text can hold."""

import json

Json = dict[str, object]

# Deeper than any card; Python's own limit is near 1000 frames, of which the caller has used some.
MAX_DEPTH = 100


class NotJson(ValueError):
    """The text is no JSON, or none that can be kept."""


def parse(data: bytes | str) -> object:
    """The value of a JSON text. Raises NotJson, also for NaN, Infinity and nesting beyond MAX_DEPTH."""
    try:
        text = data if isinstance(data, str) else _decode(data)
        value = json.loads(text, parse_constant=_refuse_constant)
        # 1e999 is read as infinity, which JSON cannot say.
        dump(value)
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotJson(str(error)) from error
    if not _is_shallow(value):
        raise NotJson("nested too deeply")
    return value


def dump(value: object) -> str:
    """ASCII JSON: NULs and lone surrogates are escaped, which PostgreSQL's text could not hold."""
    return json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))


def parse_object(text: str) -> Json:
    """What `dump` once wrote of an object; empty for an empty text."""
    value: Json = json.loads(text) if text else {}
    return value


def as_object(value: object) -> Json:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The value as a text that PostgreSQL can hold: without NULs and lone surrogates; empty for anything else."""
    if not isinstance(value, str):
        return ""
    if "\x00" in value:
        value = value.replace("\x00", "")
    try:
        value.encode()
    except UnicodeEncodeError:
        value = value.encode("utf-8", "replace").decode()
    return value


def as_texts(value: object) -> list[str]:
    """The texts of a list."""
    return [as_text(item) for item in as_list(value) if isinstance(item, str)]


def as_int(value: object, *, least: int, most: int) -> int | None:
    """The number, rounded and brought into bounds; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(min(max(value, least), most))


def as_bool(value: object, default: bool = False) -> bool:
    return value if isinstance(value, bool) else default


def _decode(data: bytes) -> str:
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16")
    return data.decode("utf-8-sig")


def _refuse_constant(name: str) -> object:
    raise NotJson(f"{name} is no JSON")


def _is_shallow(value: object) -> bool:
    level = [value]
    for _depth in range(MAX_DEPTH):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return True
    return False
