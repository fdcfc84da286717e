"""How long a prompt is, estimated without the model's tokenizer and corrected by what its servers count."""

import uuid
from dataclasses import replace

from chat.prompting.tokens import Calibration, estimate_tokens
from inference.types import ChatRequest, ModelTarget, Picture, Turn

TARGET = ModelTarget(uuid.UUID(int=1), "talker", "Talker", frozenset({"chat"}), 8000, endpoints=())
REQUEST = ChatRequest(turns=(Turn("user", "word " * 1000),))


def test_letters_of_other_scripts_count_for_more_than_those_of_english() -> None:
    english, russian, chinese = ("harbour " * 100, "гавань " * 100, "港口收取费用" * 100)
    shares = [estimate_tokens(text) / len(text) for text in (english, russian, chinese)]
    assert 0.3 < shares[0] < shares[1] < shares[2] < 1
    assert estimate_tokens("a" * 32) >= 8


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
