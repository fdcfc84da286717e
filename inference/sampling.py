"""What a model's defaults may hold: sampling fields of chat completions, each within the range that servers take."""

from collections.abc import Mapping

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.errors import InvalidInput

# Lowest and highest value, and whether it is a whole number. The first block is OpenAI's, the second what vLLM,
# llama.cpp, Ollama and TGI take besides.
RANGES: Mapping[str, tuple[float, float, bool]] = {
    "temperature": (0, 2, False),
    "top_p": (0, 1, False),
    "max_tokens": (1, 1_000_000, True),
    "presence_penalty": (-2, 2, False),
    "frequency_penalty": (-2, 2, False),
    "seed": (-(2**63), 2**63 - 1, True),
    "top_k": (-1, 100_000, True),
    "min_p": (0, 1, False),
    "repetition_penalty": (0, 10, False),
    "repeat_penalty": (0, 10, False),
}
_EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh")


def check_defaults(values: object) -> None:
    """Raise `InvalidInput`, which names the field, unless these can be a model's defaults."""
    if not isinstance(values, dict):
        raise InvalidInput(_('Write the defaults as one JSON object, for instance {"temperature": 0.7}.'))
    for name, value in values.items():
        if name == "stop":
            is_right = isinstance(value, str) or (
                isinstance(value, list) and all(isinstance(one, str) for one in value)
            )
        elif name == "reasoning_effort":
            is_right = value in _EFFORTS
        elif name in RANGES:
            is_right = _is_within(value, *RANGES[name])
        else:
            known = ", ".join([*RANGES, "stop", "reasoning_effort"])
            raise InvalidInput(
                format_lazy(_("“{name}” is no default. These are: {known}."), name=name, known=known)
            )
        if not is_right:
            raise InvalidInput(format_lazy(_("“{value}” cannot be the {name}."), value=value, name=name))


def _is_within(value: object, lowest: float, highest: float, is_whole: bool) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return lowest <= value <= highest and (isinstance(value, int) or not is_whole)
