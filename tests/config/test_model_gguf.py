"""`MODEL_GGUF=path manage.py start`: the embedded llama.cpp, for real, through the whole product."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import openai
import pytest

from inference.model_server.choice import choice_of, read_choice, write_choice
from tests.config.running_stack import ROOT, Stack, starting
from tests.tiny_gguf import write_tiny_gguf

SECONDS = 60


def run(stack: Stack, *arguments: str) -> str:
    environment = {**os.environ, "DATA_DIR": str(stack.data_dir)}
    for name in ("DATABASE_URL", "REDIS_URL", "EMBEDDING_URL"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(client: openai.OpenAI, model: str, words: str) -> list[str]:
    """The pieces of an answer, once the model is there; it may be loading still."""
    end = time.monotonic() + SECONDS
    while True:
        try:
            chunks = client.chat.completions.create(
                model=model, messages=[{"role": "user", "content": words}], stream=True, max_tokens=450
            )
            return [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
        except openai.APIStatusError:
            if time.monotonic() > end:
                raise
            time.sleep(0.5)


def test_person_with_a_gguf_file_chats_with_it_and_changes_it_without_a_restart(tmp_path: Path) -> None:
    # Long enough that it cannot come in one piece.
    sentence = " ".join(f"word{number}" for number in range(400))
    first = write_tiny_gguf(tmp_path / "reciter.gguf", sentence=sentence)
    with starting(tmp_path, MODEL_GGUF=str(first)) as stack:
        said = stack.await_page().text
        assert "language model" in said
        assert "reciter at 127.0.0.1:" in said
        words = run(stack, "create_api_key", "ada@example.com", "--create-user").split()
        key = next(word for word in words if word.startswith("pk"))
        with openai.OpenAI(base_url=f"{stack.url}/v1", api_key=key, max_retries=0) as client:
            assert "reciter" in {model.id for model in client.models.list()}
            pieces = ask(client, "reciter", "Hello")
            assert "".join(pieces).strip() == sentence
            assert len([piece for piece in pieces if piece]) > 4

    second = write_tiny_gguf(tmp_path / "other.gguf", sentence="Another file speaks now.")
    with starting(tmp_path) as stack:
        assert "language model" not in stack.await_page().text
        write_choice(stack.data_dir, choice_of(second))
        stack.await_text(r"language model +other at 127\.0\.0\.1")
        url = json.loads((stack.data_dir / "stack.json").read_text())["model_url"]
        with openai.OpenAI(base_url=url, api_key="none", max_retries=2) as client:
            end = time.monotonic() + SECONDS
            while True:
                try:
                    answer = client.chat.completions.create(
                        model="other", messages=[{"role": "user", "content": "Hi"}], max_tokens=30
                    )
                    break
                except openai.APIError:
                    assert time.monotonic() < end
                    time.sleep(0.3)
        assert (answer.choices[0].message.content or "").strip() == "Another file speaks now."


def test_wrong_path_is_named_before_anything_starts(tmp_path: Path) -> None:
    with starting(tmp_path, MODEL_GGUF=str(tmp_path / "nowhere.gguf")) as stack:
        stack.popen.wait(30)
        assert "MODEL_GGUF must name a GGUF file" in stack.text


def test_file_that_is_no_model_leaves_the_house_running(tmp_path: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"this is no model")
    with starting(tmp_path, MODEL_GGUF=str(tmp_path / "broken.gguf")) as stack:
        stack.await_page()
        stack.await_text("language model: ended")
        assert stack.get("/healthz")[0] == 200


def test_choice_is_kept_whole_and_forgotten_with_its_file(tmp_path: Path) -> None:
    assert read_choice(tmp_path) is None
    file = tmp_path / "some model.gguf"
    file.write_bytes(b"GGUF")
    write_choice(tmp_path, choice_of(file))
    assert read_choice(tmp_path) == choice_of(file)
    assert choice_of(file).name == "some model"
    file.unlink()
    assert read_choice(tmp_path) is None
    write_choice(tmp_path, None)
    with pytest.raises(FileNotFoundError):
        (tmp_path / "models" / "serve.json").read_text()
