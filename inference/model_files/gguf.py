"""What the head of a GGUF file says about the model in it. Reads only what it must; the weights stay where they are.

The format is https://github.com/ggml-org/ggml/blob/master/docs/gguf.md: magic, version, counts, key-value pairs, then
the names and shapes of the tensors. All numbers are little-endian.
"""

import struct
from dataclasses import dataclass
from math import prod
from typing import BinaryIO

MAGIC = b"GGUF"
# The largest vocabularies have some 260,000 tokens; a count beyond these is not one of a model.
MOST_PAIRS = 4096
MOST_TENSORS = 65536
LONGEST_KEY_BYTES = 65536
LONGEST_KEPT_TEXT_BYTES = 65536

_STRING, _ARRAY = 8, 9
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# general.file_type, as llama.cpp's llama_ftype counts them.
_FILE_TYPES = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    30: "IQ4_XS",
    32: "BF16",
}


class NotGguf(ValueError):
    """The bytes are no GGUF file, or one cut short."""


@dataclass(frozen=True, slots=True)
class GgufFacts:
    """What the head tells; empty or None where it does not."""

    architecture: str = ""
    name: str = ""
    quantisation: str = ""
    parameters: int | None = None
    context_tokens: int | None = None


def read_facts(file: BinaryIO) -> GgufFacts:
    """The facts of a file that stands at its beginning and can seek; raises `NotGguf`."""
    try:
        return _read(file)
    except (struct.error, UnicodeDecodeError, OverflowError) as error:
        raise NotGguf from error


def _read(file: BinaryIO) -> GgufFacts:
    if file.read(4) != MAGIC:
        raise NotGguf
    version, tensors, pairs = struct.unpack("<IQQ", file.read(20))
    if not 2 <= version <= 3 or pairs > MOST_PAIRS or tensors > MOST_TENSORS:
        raise NotGguf
    values: dict[str, object] = {}
    for _pair in range(pairs):
        key = _text(file, LONGEST_KEY_BYTES)
        (kind,) = struct.unpack("<I", file.read(4))
        values[key] = _value(file, kind)
    parameters = sum(_tensor_size(file) for _tensor in range(tensors))
    architecture = values.get("general.architecture")
    context = values.get(f"{architecture}.context_length")
    file_type = values.get("general.file_type")
    name = values.get("general.name")
    return GgufFacts(
        architecture=architecture if isinstance(architecture, str) else "",
        name=name if isinstance(name, str) else "",
        quantisation=_FILE_TYPES.get(file_type, "") if isinstance(file_type, int) else "",
        parameters=parameters or None,
        context_tokens=context if isinstance(context, int) and context > 0 else None,
    )


def _value(file: BinaryIO, kind: int) -> object:
    """A value, or None for arrays, which are passed over."""
    if kind in _NUMBERS:
        return _number(file, kind)
    if kind == _STRING:
        return _text(file, LONGEST_KEPT_TEXT_BYTES)
    if kind != _ARRAY:
        raise NotGguf
    item, count = struct.unpack("<IQ", file.read(12))
    if item in _NUMBERS:
        file.seek(count * struct.calcsize(_NUMBERS[item]), 1)
    elif item == _STRING:
        for _item in range(count):
            _skip_text(file)
    else:
        raise NotGguf
    return None


def _number(file: BinaryIO, kind: int) -> object:
    form = f"<{_NUMBERS[kind]}"
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _text(file: BinaryIO, longest: int) -> str:
    (length,) = struct.unpack("<Q", file.read(8))
    if length > longest:
        file.seek(length, 1)
        return ""
    return file.read(length).decode()


def _skip_text(file: BinaryIO) -> None:
    (length,) = struct.unpack("<Q", file.read(8))
    file.seek(length, 1)


def _tensor_size(file: BinaryIO) -> int:
    _text(file, LONGEST_KEY_BYTES)
    (dimensions,) = struct.unpack("<I", file.read(4))
    if not 0 <= dimensions <= 4:
        raise NotGguf
    shape = struct.unpack(f"<{dimensions}Q", file.read(8 * dimensions))
    file.read(12)
    return prod(shape)
