"""How long a prompt is, estimated without the model's tokenizer and corrected by what its servers count."""

import uuid
from dataclasses import replace

import pytest

from chat.prompting.tokens import Calibration, estimate_tokens
from inference.types import ChatRequest, ModelTarget, Picture, Turn

TARGET = ModelTarget(uuid.UUID(int=1), "talker", "Talker", frozenset({"chat"}), 8000, endpoints=())
REQUEST = ChatRequest(turns=(Turn("user", "word " * 1000),))


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        # As counted by the tokenizers of GPT-4 and Llama 3, whichever gives more.
        ("The harbour of Visby was dredged in 1874. " * 10, 120),
        ("Гавань Висбю была углублена в 1874 году. " * 10, 180),
        ("维斯比港于1874年疏浚。" * 10, 140),
    ],
)
def test_estimate_is_not_below_what_common_tokenizers_make_of_a_text(text: str, tokens: int) -> None:
    assert estimate_tokens(text) >= tokens * 0.75
    assert estimate_tokens(text) <= tokens * 2


def test_model_that_counts_more_tokens_is_given_shorter_prompts_once_that_is_known() -> None:
    calibration = Calibration()
    estimated = estimate_tokens(REQUEST.turns[0].text)
    for _prompt in range(3):
        calibration.learn("talker", REQUEST, estimated * 2)
    assert calibration.room(TARGET) == 8000
    calibration.learn("talker", REQUEST, estimated * 2)
    assert 8000 / 2.3 < calibration.room(TARGET) < 8000 / 2
    assert calibration.room(replace(TARGET, name="other")) == 8000


def test_model_that_packs_better_is_given_longer_prompts_within_bounds() -> None:
    calibration = Calibration()
    for _prompt in range(40):
        calibration.learn("talker", REQUEST, 100)
    assert calibration.room(TARGET) == int(8000 / 0.6)


def test_prompt_with_pictures_or_of_few_words_teaches_nothing() -> None:
    calibration = Calibration()
    with_picture = ChatRequest(turns=(Turn("user", "word " * 1000, (Picture("data:image/png;base64,"),)),))
    for _prompt in range(5):
        calibration.learn("talker", with_picture, 9000)
        calibration.learn("talker", ChatRequest(turns=(Turn("user", "Hello"),)), 9000)
    assert calibration.room(TARGET) == 8000
