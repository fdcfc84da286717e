"""Cards, personas, notes, groups, greetings and edits by hand in a running chat, and what the model got."""

import json

import aiohttp
import pytest
from asgiref.sync import sync_to_async

from accounts.models import User
from characters.cards import read_card
from characters.cards.services import import_card
from characters.models import Character, Visibility
from characters.personas.services import create_persona
from characters.services import create_character, update_character
from tests.chat.talk import FINAL, Talk, text_of
from tests.openai_server import Answer

CARD = {
    "spec": "chara_card_v3",
    "spec_version": "3.0",
    "data": {
        "name": "Ida Ferry",
        "nickname": "Ida",
        "description": "{{char}} rows {{user}} over the river.",
        "personality": "dry",
        "scenario": "It is night.",
        "first_mes": "Come aboard, {{user}}.",
        "mes_example": "<START>\n{{user}}: Far?\n{{char}}: Far enough.\n<START>\n{{user}}: Cold?\n{{char}}: Yes.",
        "alternate_greetings": ["Mind the step, {{user}}."],
        "group_only_greetings": ["Room for all."],
        "system_prompt": "{{original}} Be brief.",
        "post_history_instructions": "{{original}}Stay in the boat.",
        "creator_notes": "NOTES FOR PEOPLE",
        "tags": [],
        "creator": "",
        "character_version": "",
        "extensions": {"parlour": {"sampling": {"top_p": 0.5}}},
        "character_book": {
            "extensions": {},
            "recursive_scanning": True,
            "entries": [
                {"keys": ["rope"], "content": "The rope is old.", "enabled": True, "insertion_order": 2},
                {
                    "keys": ["old"],
                    "content": "@@depth 1\nOld things break.",
                    "enabled": True,
                    "insertion_order": 1,
                },
                {"keys": ["moon"], "content": "No moon tonight.", "enabled": True, "insertion_order": 3},
            ],
        },
    },
}


@pytest.fixture
def me(key: str) -> User:
    return User.objects.get()


@pytest.fixture
def ida(me: User) -> Character:
    return import_card(actor=me, card=read_card(json.dumps(CARD).encode()))


def group_of(me: User, *names: str) -> list[str]:
    return [
        create_character(
            actor=me, name=name, system_prompt=f"You are {name}.", greeting=f"{name} is here."
        ).slug
        for name in names
    ]


async def call(talk: Talk, method: str, path: str, body: object = None, status: int = 200):
    async with talk.session.request(method, talk.base_url + path, json=body) as response:
        assert response.status == status, await response.text()
        return await response.json() if response.status < 300 and status != 204 else await response.text()


async def answer_of(talk: Talk, sent: dict[str, str]) -> str:
    return text_of(await talk.until_end(sent["reply"]))


async def test_a_card_says_all_it_has_to_say(web, key, me, ida, model_server):
    persona = await sync_to_async(create_persona)(actor=me, name="Bo", description="{{user}} is tall.")
    model_server.script(Answer(text="Sit."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Is the rope safe?", character=ida.slug, persona=str(persona.pk), greeting=1)
        await answer_of(talk, sent)
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
        prompt = await talk.get(f"/api/v1/messages/{sent['assistant_message']}/prompt")
    body = model_server.chats[-1].body
    system, greeting, question = body["messages"]
    assert system["role"] == "system"
    order = [
        "Write Ida's next reply in a chat between Ida and Bo. Be brief.",
        "The rope is old.",
        "Ida rows Bo over the river.",
        "Ida's personality: dry",
        "What is happening: It is night.",
        "About Bo: Bo is tall.",
        "<example>\nBo: Far?\nIda: Far enough.\n</example>",
    ]
    places = [system["content"].index(words) for words in order]
    assert places == sorted(places)
    assert "NOTES" not in json.dumps(body)
    assert "moon" not in json.dumps(body)
    assert greeting == {"role": "assistant", "content": "Mind the step, Bo."}
    assert question["content"].startswith("[System note: Old things break.]\n\nIs the rope safe?")
    assert question["content"].endswith("[System note: Stay in the boat.]")
    assert body["top_p"] == 0.5
    roots = [node for node in tree["messages"] if node["parent"] is None]
    assert [node["text"] for node in roots] == ["Come aboard, Bo.", "Mind the step, Bo."]
    assert tree["messages"][2]["parent"] == roots[1]["id"]
    assert [part["kind"] for part in prompt["parts"]] == [
        "system_prompt", "lore", "definition", "personality", "scenario", "persona", "examples",
        "message", "lore", "message", "last_words",
    ]  # fmt: skip
    assert {entry["because"]: entry["reason"] for entry in prompt["entries"]} == {
        "rope": "key",
        "old": "recursion",
    }
    assert all(part["tokens"] > 0 and part["text"] for part in prompt["parts"])
    assert not prompt["has_secrets"]


async def test_another_persons_character_keeps_its_words(web, key, me, model_server):
    other = await sync_to_async(User.objects.create_user)("other@example.org")
    row = await sync_to_async(create_character)(actor=other, name="Keeper", system_prompt="A secret.")
    await Character.objects.filter(pk=row.pk).aupdate(visibility=Visibility.EVERYONE, is_published=True)
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello", character="keeper")
        await answer_of(talk, sent)
        prompt = await talk.get(f"/api/v1/messages/{sent['assistant_message']}/prompt")
    assert [(part["kind"], part["text"]) for part in prompt["parts"]] == [
        ("system_prompt", None),
        ("message", "Hello"),
    ]
    assert prompt["parts"][0]["tokens"] > 0
    assert prompt["has_secrets"]


async def test_nobody_sees_the_prompt_of_another(web, key, me, model_server, other_key):
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hello")
        await answer_of(talk, sent)
    async with Talk(web.url, other_key) as stranger:
        await call(stranger, "GET", f"/api/v1/messages/{sent['assistant_message']}/prompt", status=404)
        await call(stranger, "PATCH", f"/api/v1/messages/{sent['message']}", {"text": "x"}, status=404)
        await call(stranger, "PATCH", f"/api/v1/conversations/{sent['conversation']}/scene", {}, status=404)


async def test_a_note_stands_as_deep_as_it_is_put(web, key, me, model_server):
    async with Talk(web.url, key) as talk:
        sent = await talk.send("One")
        await answer_of(talk, sent)
        path = f"/api/v1/conversations/{sent['conversation']}/scene"
        tree = await call(talk, "PATCH", path, {"author_note": "It rains.", "author_note_depth": 1})
        assert (tree["author_note"], tree["author_note_depth"]) == ("It rains.", 1)
        sent = await talk.send("Two", conversation=sent["conversation"])
        await answer_of(talk, sent)
    assert model_server.chats[-1].body["messages"][-1]["content"] == "[System note: It rains.]\n\nTwo"


async def until_quiet(talk: Talk, replies: int) -> None:
    """Until so many different replies have ended that had not before."""
    before = {event["reply"] for event in talk.seen if event.get("status") in FINAL}
    ended: set[str] = set()
    while len(ended) < replies:
        event = await talk.next(lambda event: event.get("status") in FINAL)
        ended |= {event["reply"]} - before


async def test_a_group_answers_in_turn_and_each_hears_the_others(web, key, me, model_server):
    slugs = await sync_to_async(group_of)(me, "Ann", "Ben", "Cay", "Dan")
    model_server.script(
        Answer(text="Ann: Morning."), Answer(text="Hello."), Answer(text="Hey."), Answer(text="Good day.")
    )
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hi all", group=slugs, turn_order="turn")
        assert sent["speaker"] == "ann"
        await until_quiet(talk, 4)
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    said = [
        (node["character"]["name"] if node["character"] else "me", node["text"]) for node in tree["messages"]
    ]
    assert said == [
        ("Ann", "Ann is here."), ("Ben", "Ben is here."), ("Cay", "Cay is here."), ("Dan", "Dan is here."),
        ("me", "Hi all"),
        ("Ann", "Morning."), ("Ben", "Hello."), ("Cay", "Hey."), ("Dan", "Good day."),
    ]  # fmt: skip
    assert [member["slug"] for member in tree["members"]] == slugs
    third = model_server.chats[-2].body
    assert third["messages"][0]["content"].startswith("You are Cay.")
    assert "User, Cay and Ann, Ben, Dan" in third["messages"][0]["content"]
    assert [turn["role"] for turn in third["messages"][1:]] == ["user", "assistant", "user"]
    assert third["messages"][-1]["content"] == (
        "Dan: Dan is here.\n\nUser: Hi all\n\nAnn: Morning.\n\nBen: Hello."
    )
    assert "\nUser:" in third["stop"]


async def test_a_group_answers_whom_it_is_asked_for(web, key, me, model_server):
    slugs = await sync_to_async(group_of)(me, "Ann", "Ben", "Cay")
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Ben, what about Cay?", group=slugs, turn_order="mention")
        assert sent["speaker"] == "ben"
        await until_quiet(talk, 2)
        path = f"/api/v1/conversations/{sent['conversation']}/group"
        await call(talk, "PUT", path, {"members": slugs, "turn_order": "choice"})
        chosen = await talk.send("And you?", conversation=sent["conversation"], speaker="ann")
        assert chosen["speaker"] == "ann"
        await until_quiet(talk, 1)
        spoken = await talk.act(type="speak", conversation=sent["conversation"], speaker="cay")
        assert spoken["speaker"] == "cay"
        await until_quiet(talk, 1)
        again = await talk.act(type="regenerate", message=spoken["assistant_message"])
        assert again["speaker"] == "cay"
        await until_quiet(talk, 1)
        await talk.put(type="speak", conversation=sent["conversation"], speaker="nobody", request_id="r")
        refused = await talk.next(lambda event: event.get("request_id") == "r")
        assert refused["code"] == "group_invalid"


async def test_any_message_is_rewritten_in_place_or_as_a_branch(web, key, me, model_server):
    async with Talk(web.url, key) as talk:
        sent = await talk.send("One")
        await answer_of(talk, sent)
        answer = sent["assistant_message"]
        node = await call(talk, "PATCH", f"/api/v1/messages/{answer}", {"text": "My own words."})
        assert node["text"] == "My own words."
        event = await talk.next(lambda event: event.get("messages") and event["messages"][0]["id"] == answer)
        assert event["messages"][0]["text"] == "My own words."
        branch = await call(talk, "POST", f"/api/v1/messages/{answer}/branch", {"text": "Or these."})
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
        assert tree["current_message"] == branch["id"]
        assert branch["parent"] == sent["message"]
        await call(talk, "PATCH", f"/api/v1/messages/{answer}", {"text": "  "}, status=422)


async def test_who_said_what_stays_when_another_character_takes_over(web, key, me, model_server):
    ann, ben = await sync_to_async(group_of)(me, "Ann", "Ben")
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hi", character=ann)
        await answer_of(talk, sent)
        await call(talk, "PATCH", f"/api/v1/conversations/{sent['conversation']}", {"character": ben})
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    assert tree["character"]["slug"] == ben
    assert {node["character"]["slug"] for node in tree["messages"] if node["role"] == "assistant"} == {ann}


async def test_a_change_of_the_lorebook_is_told_from_the_next_answer_on(web, key, me, ida, model_server):
    async with Talk(web.url, key) as talk:
        first = await talk.send("The moon?", character=ida.slug)
        await answer_of(talk, first)
        assert "No moon tonight." in json.dumps(model_server.chats[-1].body)
        book = (await talk.get("/api/v1/lorebooks"))[0]
        entries = (await talk.get(f"/api/v1/lorebooks/{book['id']}"))["entries"]
        moon = next(entry for entry in entries if entry["keys"] == ["moon"])
        await call(talk, "PATCH", f"/api/v1/lorebook-entries/{moon['id']}", {"content": "A full moon."})
        await answer_of(talk, await talk.send("Still the moon?", conversation=first["conversation"]))
        assert "A full moon." in json.dumps(model_server.chats[-1].body)
        await sync_to_async(update_character)(actor=me, character_id=ida.pk, scenario="")


async def test_impersonation_writes_the_persons_words_and_stores_none(web, key, me, model_server):
    model_server.script(Answer(text="First."), Answer(text="I would say this."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hi")
        await answer_of(talk, sent)
        path = f"/api/v1/conversations/{sent['conversation']}/impersonate"
        async with talk.session.post(talk.base_url + path, json={}) as response:
            assert response.status == 200
            lines = [json.loads(line) for line in (await response.text()).splitlines()]
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    assert "".join(line["text"] for line in lines) == "I would say this."
    assert len(tree["messages"]) == 2
    assert "next message of User" in model_server.chats[-1].body["messages"][-1]["content"]
    assert isinstance(talk.session, aiohttp.ClientSession)
