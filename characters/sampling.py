"""How a model picks its words, beside temperature and length: which settings a character may bring, within bounds."""

from collections.abc import Mapping

# Least and most, as OpenAI-compatible servers take them; whole numbers where both are.
NUMBERS: dict[str, tuple[float, float]] = {
    "top_p": (0.0, 1.0),
    "min_p": (0.0, 1.0),
    "typical_p": (0.0, 1.0),
    "top_k": (-1, 1000),
    "frequency_penalty": (-2.0, 2.0),
    "presence_penalty": (-2.0, 2.0),
    "repetition_penalty": (0.0, 3.0),
    "repeat_penalty": (0.0, 3.0),
    "seed": (-(2**31), 2**31 - 1),
}
MAX_STOPS = 4
MAX_STOP_LENGTH = 100


def clean_sampling(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings that are known and within bounds; the rest is left out."""
    return {name: value for name, value in settings.items() if not problem_of(name, value)}


def problem_of(name: str, value: object) -> str:
    """What is wrong with one setting, as words for people; empty if nothing is."""
    if name == "stop":
        stops = value if isinstance(value, list) else []
        if 0 < len(stops) <= MAX_STOPS and all(_is_stop(word) for word in stops):
            return ""
        return f"stop: at most {MAX_STOPS} texts of at most {MAX_STOP_LENGTH} characters"
    if name not in NUMBERS:
        return f"{name}: known are {', '.join([*NUMBERS, 'stop'])}"
    least, most = NUMBERS[name]
    is_whole = isinstance(least, float) or isinstance(value, int)
    if isinstance(value, int | float) and not isinstance(value, bool) and is_whole and least <= value <= most:
        return ""
    return f"{name}: {least} to {most}"


def _is_stop(word: object) -> bool:
    return isinstance(word, str) and 0 < len(word) <= MAX_STOP_LENGTH
