"""MiniLM itself: texts to token ids, token ids to unit vectors. Blocking; `scheduler` decides what runs
when.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from inference.model_server.files import MAX_TOKENS, graph_path, model_folder

Vectors = npt.NDArray[np.float32]
# A question is too short for more to help.
URGENT_CORES = 4


class Encoder:
    """The loaded model. `embed` may be called from several threads; each call computes on one core, unless it is
    urgent: then on all `cores`, which takes a question of 24 tokens from 12 to 8 ms on two. The second copy of the
    model that this needs is 90 MB.
    """

    def __init__(self, data_dir: Path, *, cores: int) -> None:
        path = graph_path(data_dir)
        if not path.exists():
            # Imported only now: it needs the onnx package and a second that later starts do not have to
            # spend.
            from inference.model_server.graph import write_graph

            write_graph(path)
        self._session = _load(path, threads=1)
        self._urgent_session = _load(path, threads=min(cores, URGENT_CORES)) if cores > 1 else self._session
        self._tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, cut at `MAX_TOKENS`, with the marks of beginning and end."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def embed(self, rows: Sequence[Sequence[int]], *, is_urgent: bool = False) -> Vectors:
        """A unit vector for each row of token ids, in their order; rows are padded to the longest."""
        longest = max(len(row) for row in rows)
        ids = np.zeros((len(rows), longest), dtype=np.int32)
        mask = np.zeros((len(rows), longest), dtype=np.int32)
        for position, row in enumerate(rows):
            ids[position, : len(row)] = row
            mask[position, : len(row)] = 1
        session = self._urgent_session if is_urgent else self._session
        vectors: Vectors = session.run(["embeddings"], {"ids": ids, "mask": mask})[0]
        return vectors


def _load(path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning would be a millisecond quicker, and take it from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
