"""What /v1 offers besides chat, through OpenAI's real Python and JavaScript clients, against a real web process."""

import json
import shutil
import subprocess
import uuid
from pathlib import Path

import openai
import pytest
import requests
from django.contrib.auth.models import Group

from accounts.models import User
from characters.models import Character
from inference.models import Capability, Deployment, Model, Server, Usage
from inference.queries import ESTATE_SECONDS
from tests.inference.test_rerank import jina
from tests.inference.test_transcription import fields_of, whisper
from tests.openai_server import Answer, Recorded, Refusal, Response, ToolCall

SCRIPT = Path(__file__).with_name("openai_client.mjs")
ROOT = Path(__file__).resolve().parents[2]
AUDIO = "RIFF....WAVE"


@pytest.fixture
def client(web, key):
    with openai.OpenAI(base_url=f"{web.url}/v1", api_key=key, max_retries=0) as client:
        yield client


@pytest.fixture
def able(estate, model_server):
    """Models for everything, all on the scripted server."""
    model_server.routes = {("POST", "/v1/rerank"): jina, ("POST", "/v1/audio/transcriptions"): whisper}
    server = Server.objects.get(name="scripted")
    able = [
        ("embedder", Capability.EMBEDDINGS),
        ("judge", Capability.RERANK),
        ("whisper-1", Capability.TRANSCRIPTION),
    ]
    for at, (name, capability) in enumerate(able):
        model = Model.objects.create(id=uuid.UUID(int=20 + at), name=name, capabilities=[capability])
        Deployment.objects.create(
            id=uuid.UUID(int=30 + at), model=model, server=server, remote_name=f"remote-{name}"
        )
    yield model_server
    model_server.routes = {}


def list_models(client, able):
    """The models by name, once all of `able` are there: a process remembers for some seconds what there was."""

    def listed():
        return {model.id: model for model in client.models.list()}

    able.wait_until(lambda: {"embedder", "judge", "whisper-1"} <= set(listed()), ESTATE_SECONDS + 5)
    return listed()


def test_program_embeds_texts_with_the_model_it_names(client, able):
    answer = client.embeddings.create(model="embedder", input=["one", "two"])
    assert [item.index for item in sorted(answer.data, key=lambda item: item.index)] == [0, 1]
    assert len(answer.data[0].embedding) == able.dimensions
    assert (answer.model, answer.usage.prompt_tokens) == ("embedder", 2)
    assert able.embedding_requests[-1].body["model"] == "remote-embedder"
    client.embeddings.create(model="embedder", input="one", dimensions=8, encoding_format="float")
    assert able.embedding_requests[-1].body["dimensions"] == 8
    usage = Usage.objects.filter(model_name="embedder").order_by("created_at").first()
    assert (usage.prompt_tokens, usage.user.email) == (2, "ada@example.com")


def test_program_embedding_with_a_model_for_something_else_is_told_so(client, able):
    with pytest.raises(openai.NotFoundError) as caught:
        client.embeddings.create(model="pace-0", input="one")
    assert caught.value.code == "model_unavailable"
    with pytest.raises(openai.BadRequestError):
        client.embeddings.create(model="embedder", input=[])


def test_program_reranks_documents(web, key, able):
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {key}"
        body = {
            "model": "judge",
            "query": "Paris is",
            "documents": ["Cheese.", {"text": "Paris is big."}],
            "top_n": 1,
        }
        answer = http.post(f"{web.url}/v1/rerank", json=body).json()
        assert answer["results"] == [
            {"index": 1, "relevance_score": 2.0, "document": {"text": "Paris is big."}}
        ]
        refused = http.post(f"{web.url}/v1/rerank", json={"documents": []})
    assert refused.status_code == 400
    assert refused.json()["error"]["type"] == "invalid_request_error"


def test_program_transcribes_speech_in_the_format_it_asks_for(client, able):
    heard = client.audio.transcriptions.create(
        model="whisper-1",
        file=("talk.wav", AUDIO.encode()),
        response_format="verbose_json",
        timestamp_granularities=["segment"],
        language="en",
    )
    assert heard.text.strip() == "Good morning. How are you?"
    assert [segment.start for segment in heard.segments] == [0.0, 1.5]
    sent = fields_of(able.requests[-1])
    assert (sent["model"], sent["language"], sent["file"]) == (b"remote-whisper-1", b"en", AUDIO.encode())
    assert sent["timestamp_granularities[]"] == b"segment"

    def as_text(request: Recorded) -> Response:
        return Response(b"Good morning.\n", content_type="text/plain")

    able.routes["POST", "/v1/audio/transcriptions"] = as_text
    text = client.audio.transcriptions.create(
        model="whisper-1", file=("talk.wav", b"RIFF"), response_format="text"
    )
    assert text == "Good morning.\n"


def test_transcription_without_a_file_says_what_is_missing(web, key, able):
    with requests.Session() as http:
        http.headers["Authorization"] = f"Bearer {key}"
        for content in ({"json": {"model": "whisper-1"}}, {"files": {"other": b"x"}}):
            refused = http.post(f"{web.url}/v1/audio/transcriptions", **content)
            assert refused.status_code == 400
            assert "file" in refused.json()["error"]["message"]


def test_models_are_listed_with_what_they_can_and_shown_one_by_one(client, able):
    Character.objects.create(slug="mira", name="Mira")
    listed = list_models(client, able)
    assert {"pace-0", "embedder", "judge", "whisper-1", "character/mira"} <= set(listed)
    assert listed["embedder"].capabilities == ["embeddings"]
    assert client.models.retrieve("character/mira").id == "character/mira"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("no/such")


def test_model_of_a_group_is_absent_for_everybody_else(client, able, web, other_key):
    group = Group.objects.create(name="lawyers")
    User.objects.get(email="ada@example.com").groups.add(group)
    model = Model.objects.create(
        id=uuid.UUID(int=40), name="contracts", capabilities=["chat"], is_restricted=True
    )
    model.groups.add(group)
    server = Server.objects.get(name="scripted")
    Deployment.objects.create(id=uuid.UUID(int=41), model=model, server=server, remote_name="contracts")
    messages = [{"role": "user", "content": "Hello"}]
    able.script(Answer(text="For you."))
    answer = client.chat.completions.create(model="contracts", messages=messages)
    assert answer.choices[0].message.content == "For you."
    assert "contracts" in {listed.id for listed in client.models.list()}
    with openai.OpenAI(base_url=f"{web.url}/v1", api_key=other_key, max_retries=0) as other:
        assert "contracts" not in {listed.id for listed in other.models.list()}
        with pytest.raises(openai.NotFoundError):
            other.chat.completions.create(model="contracts", messages=messages)
        with pytest.raises(openai.NotFoundError):
            other.models.retrieve("contracts")


@pytest.mark.skipif(not shutil.which("node"), reason="Node is missing: the JavaScript client is not tried.")
def test_program_in_javascript_does_all_of_it(web, key, client, able):
    list_models(client, able)
    able.script(
        Answer(text="Good day.", usage=(9, 3)),
        Answer(text="One two three.", usage=(9, 3)),
        Answer(tool_calls=[ToolCall("weather", '{"city":"Oslo"}')], finish="tool_calls"),
        Answer(text="A picture."),
        Answer(text='{"ok": true}'),
        Refusal(429, retry_after=3),
    )
    given = json.dumps({"url": web.url, "key": key, "audio": AUDIO})
    done = subprocess.run(
        ["node", str(SCRIPT)], input=given, cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    saw = json.loads(done.stdout)
    assert {"pace-0", "embedder", "judge", "whisper-1"} <= set(saw["models"])
    assert (saw["model"], saw["whole"], saw["tokens"]) == ("pace-0", "Good day.", 12)
    assert (saw["streamed"], saw["streamedTokens"]) == ("One two three.", 12)
    assert saw["tool"] == {"name": "weather", "arguments": '{"city":"Oslo"}'}
    assert (saw["vision"], saw["json"]) == ("A picture.", {"ok": True})
    pictured, as_json = able.chats[3].body, able.chats[4].body
    assert pictured["messages"][0]["content"][1]["image_url"]["url"].startswith("data:image/png")
    assert as_json["response_format"] == {"type": "json_object"}
    assert saw["dimensions"] == able.dimensions
    assert saw["transcript"].strip() == "Good morning. How are you?"
    assert saw["errors"]["limited"] == {"status": 429, "code": "rate_limited", "kind": "RateLimitError"}
    assert saw["errors"]["unknown"] == {"status": 404, "code": "model_unavailable", "kind": "NotFoundError"}
    assert saw["errors"]["stranger"]["kind"] == "AuthenticationError"
