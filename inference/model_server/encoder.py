"""MiniLM itself: texts to token ids, token ids to unit vectors. Blocking; `scheduler` decides what runs
when.

A text is computed by itself: its vector is the same in whatever company, to the last bit.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from inference.model_server.files import DIMENSIONS, MAX_TOKENS, graph_path, model_folder
from inference.model_server.weights import read_weights

Vectors = npt.NDArray[np.float32]
# A question is too short for more to help.
URGENT_CORES = 4


class Encoder:
    """The loaded model. `embed` may be called from several threads; each call computes on one core, unless it is
    urgent: then on all `cores`. The second copy of the model that this needs is 35 MB: both look their tokens up in
    the wheel's file.
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
        weights = read_weights()
        self._words = weights["embeddings.word_embeddings.weight"]
        # Every text is one segment, so the segment's embedding is added to the positions' once and for all.
        segment = weights["embeddings.token_type_embeddings.weight"][0]
        self._positions = weights["embeddings.position_embeddings.weight"] + segment
        self._tokenizer = Tokenizer.from_file(str(model_folder() / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, cut at `MAX_TOKENS`, with the marks of beginning and end."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def embed(self, rows: Sequence[Sequence[int]], *, is_urgent: bool = False) -> Vectors:
        """A unit vector for each row of token ids, in their order."""
        session = self._urgent_session if is_urgent else self._session
        vectors = np.empty((len(rows), DIMENSIONS), dtype=np.float32)
        for vector, row in zip(vectors, rows, strict=True):
            tokens = self._words[row] + self._positions[: len(row)]
            vector[:] = session.run(["embeddings"], {"tokens": tokens[None]})[0][0]
        return vectors


def _load(path: Path, *, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that wait by spinning would be a millisecond quicker, and take it from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
