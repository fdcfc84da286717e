"""The OpenAI-compatible API, through the real openai client, against a real web process."""

import uuid

import openai
import pytest

from characters.models import Character
from inference.models import Capability, Deployment, Model, Server, Usage
from tests.openai_server import Answer, Refusal, ToolCall, too_long


@pytest.fixture
def client(web, key):
    with openai.OpenAI(base_url=f"{web.url}/v1", api_key=key, max_retries=0) as client:
        yield client


def ask(client, **more):
    messages = [{"role": "user", "content": "Hello"}]
    return client.chat.completions.create(**{"model": "pace-0", "messages": messages} | more)


def test_program_gets_a_whole_answer_with_usage(client, model_server):
    model_server.script(Answer(text="Good day.", usage=(9, 3)))
    completion = ask(client)
    assert completion.choices[0].message.content == "Good day."
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage.total_tokens == 12


def test_program_streams_an_answer_token_by_token(client, model_server):
    model_server.script(Answer(text="One two three.", usage=(9, 3)))
    chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "One two three."
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage.completion_tokens == 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"


def test_messages_and_unknown_fields_reach_the_server_untouched(client, model_server):
    messages = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "What is this?"}]},
    ]
    model_server.script(Answer(text="A test."))
    ask(client, messages=messages, seed=7, response_format={"type": "json_object"}, max_tokens=5)
    body = model_server.chats[0].body
    assert body["messages"] == messages
    assert (body["seed"], body["response_format"], body["max_tokens"]) == (7, {"type": "json_object"}, 5)


def test_tool_calls_come_through(client, model_server):
    model_server.script(Answer(tool_calls=[ToolCall("weather", '{"city":"Oslo"}')], finish="tool_calls"))
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    choice = ask(client, tools=tools).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.arguments == '{"city":"Oslo"}'


def test_models_and_characters_are_listed(client):
    Character.objects.create(slug="mira", name="Mira")
    assert {"pace-0", "character/mira"} <= {model.id for model in client.models.list()}


def test_character_answers_in_its_own_voice(client, model_server):
    Character.objects.create(slug="mira", name="Mira", system_prompt="You are Mira.")
    model_server.script(Answer(text="I am Mira."))
    assert ask(client, model="character/mira").choices[0].message.content == "I am Mira."
    assert model_server.chats[0].body["messages"][0] == {"role": "system", "content": "You are Mira."}


def test_follow_up_question_to_a_character_is_rewritten_for_the_search(client, model_server):
    Character.objects.create(slug="mira", name="Mira", is_grounded=True)
    model_server.script(
        Answer(text="What does the ferry cost in winter?"), Answer(text="I cannot find that.")
    )
    talk = [
        {"role": "user", "content": "What does the ferry cost in summer?"},
        {"role": "assistant", "content": "Ten crowns."},
        {"role": "user", "content": "And in winter?"},
    ]
    answer = ask(client, model="character/mira", messages=talk)
    assert answer.choices[0].message.content == "I cannot find that."
    [rewriting, _answering] = model_server.chats
    assert rewriting.body["messages"][-1]["content"].endswith("Last message: And in winter?")
    # Both calls count, the second one once the answer is out.
    model_server.wait_until(lambda: Usage.objects.count() == 2)


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}
SHOWN = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}]


@pytest.fixture
def mira(estate):
    """A character whose model sees, and whose note stands before the newest message."""
    seer = Model.objects.create(
        id=uuid.UUID(int=40), name="seer", capabilities=[Capability.CHAT, Capability.VISION]
    )
    Deployment.objects.create(
        id=uuid.UUID(int=41), model=seer, server=Server.objects.get(name="scripted"), remote_name="seer"
    )
    return Character.objects.create(
        slug="mira",
        name="Mira",
        system_prompt="You are Mira.",
        post_history_instructions="Rhyme.",
        model=seer,
    )


def test_character_sees_the_pictures_of_a_message(client, model_server, mira):
    model_server.script(Answer(text="A cat."))
    assert ask(client, model="character/mira", messages=SHOWN).choices[0].message.content == "A cat."
    [system, question] = model_server.chats[0].body["messages"]
    assert system == {"role": "system", "content": "You are Mira."}
    [text, picture] = question["content"]
    assert text["text"].startswith("What is this?")
    assert "Rhyme." in text["text"]
    assert picture == PICTURE


def test_picture_for_a_character_whose_model_cannot_see_is_refused(client, model_server):
    Character.objects.create(slug="blind", name="Blind")
    with pytest.raises(openai.BadRequestError, match="“pace-0” cannot see pictures") as caught:
        ask(client, model="character/blind", messages=SHOWN)
    assert caught.value.code == "model_cannot_see"
    assert model_server.chats == []


def test_character_reads_what_its_tools_answer(client, model_server, mira):
    calls = [{"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]
    told = [
        {"role": "assistant", "content": None, "tool_calls": calls},
        {"role": "tool", "content": "Rain.", "tool_call_id": "c1"},
    ]
    model_server.script(Answer(text="It rains."))
    ask(client, model="character/mira", messages=[{"role": "user", "content": "How is it?"}, *told])
    assert model_server.chats[0].body["messages"][-3:-1] == told


def test_what_a_character_cannot_read_is_refused_and_named(client, mira):
    sound = [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": ""}}]}]
    with pytest.raises(openai.BadRequestError, match="input_audio"):
        ask(client, model="character/mira", messages=sound)


def test_private_character_of_another_is_not_found(client, other_key):
    Character.objects.create(slug="own", name="Own", visibility="private")
    with pytest.raises(openai.NotFoundError):
        ask(client, model="character/own")


@pytest.mark.parametrize(
    ("script", "error", "code"),
    [
        (Refusal(429, retry_after=3), openai.RateLimitError, "rate_limited"),
        (too_long(), openai.BadRequestError, "context_too_long"),
        (Refusal(500), openai.InternalServerError, "server_failed"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_refusal_before_the_first_token_keeps_its_status(client, model_server, script, error, code, stream):
    model_server.script(script)
    with pytest.raises(error) as caught:
        list(ask(client, stream=stream))
    assert caught.value.code == code


def test_stream_that_breaks_ends_with_an_error(client, model_server):
    model_server.script(Answer(tokens=["half ", "an "], mishap="cut", after=2))
    with pytest.raises(openai.APIError) as caught:
        list(ask(client, stream=True))
    assert caught.value.code == "stream_cut"


def test_wrong_key_model_and_body_are_told_apart(client, web):
    with (
        openai.OpenAI(base_url=f"{web.url}/v1", api_key="pk-wrong", max_retries=0) as stranger,
        pytest.raises(openai.AuthenticationError),
    ):
        ask(stranger)
    with pytest.raises(openai.NotFoundError):
        ask(client, model="no such model")
    with pytest.raises(openai.BadRequestError):
        ask(client, messages=[])
    with pytest.raises(openai.BadRequestError, match="`n`"):
        ask(client, n=2)


def test_client_that_hangs_up_stops_the_model(client, model_server):
    model_server.script(Answer(tokens=["word "] * 1000, pace=50))
    with ask(client, stream=True) as stream:
        next(iter(stream))
    model_server.wait_until(lambda: model_server.open_streams == 0)
    assert model_server.left_streams == 1
