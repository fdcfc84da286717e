"""Everybody in a group has their turn, though processes die between two of them."""

import asyncio
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
from asgiref.sync import sync_to_async
from django.db import connection
from django.utils import timezone

from accounts.models import User
from characters.models import Character
from chat.models import Message, Reply, ReplyStatus
from chat.running.checkpoints import OVERDUE_SECONDS, OWED_MOST_SECONDS, list_owed_turns
from chat.turns import speak_next
from tests.chat.talk import Talk
from tests.chat.test_scenes import group_of
from tests.openai_server import Answer

WAIT_SECONDS = 30


@contextmanager
def members_locked() -> Iterator[None]:
    """Nobody can read who is in a group: whoever lets the next one speak stands still."""
    own = connection.settings_dict
    names = {"host": own["HOST"], "port": own["PORT"], "user": own["USER"], "password": own["PASSWORD"]}
    given = {name: value for name, value in names.items() if value}
    with psycopg.connect(dbname=own["NAME"], **given) as other:
        other.execute("LOCK TABLE chat_member IN ACCESS EXCLUSIVE MODE")
        yield


async def test_a_group_goes_on_where_a_process_died_between_two_speakers(own_web, web, key, model_server):
    me = await User.objects.aget()
    slugs = await sync_to_async(group_of)(me, "Ann", "Ben")
    model_server.script(Answer(tokens=["I ", "am ", "Ann."], pace=5), Answer(text="I am Ben."))
    async with Talk(own_web.url, key) as talk:
        sent = await talk.send("Hi", group=slugs, turn_order="turn")
        with members_locked():
            await talk.until_end(sent["reply"])
            own_web.kill()
    deadline = time.monotonic() + WAIT_SECONDS
    async with Talk(web.url, key) as talk:
        while time.monotonic() < deadline:
            tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
            said = [node["text"] for node in tree["messages"] if node["role"] == "assistant"]
            if "I am Ben." in said:
                break
            await asyncio.sleep(0.2)
    assert said[-2:] == ["I am Ann.", "I am Ben."]
    assert await Reply.objects.filter(message__conversation=sent["conversation"]).acount() == 2


async def test_a_turn_is_given_once_and_not_after_an_hour(web, key, model_server):
    me = await User.objects.aget()
    slugs = await sync_to_async(group_of)(me, "Ann", "Ben")
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hi", group=slugs, turn_order="mention")
        await talk.until_end(sent["reply"])
    reply = await Reply.objects.select_related("message").aget(pk=sent["reply"])
    ben = await sync_to_async(lambda: reply.message.conversation.members.get(place=1).character_id)()

    async def owe(seconds: float) -> None:
        ended = timezone.now() - timedelta(seconds=seconds)
        await Reply.objects.filter(pk=reply.pk).aupdate(next_speakers=[ben], finished_at=ended)

    await owe(OWED_MOST_SECONDS + 60)
    assert await sync_to_async(list_owed_turns)() == []
    await owe(OVERDUE_SECONDS - 5)
    assert await sync_to_async(list_owed_turns)() == []
    posted = [(await sync_to_async(speak_next)([reply.pk]))[0] for _ in range(2)]
    assert posted[0].reply.message.character_id == ben
    assert posted[1] is None
    # Where the person has gone on, nobody is owed anything.
    await owe(OVERDUE_SECONDS - 5)
    assert await sync_to_async(speak_next)([reply.pk]) == [None]
    assert not await Reply.objects.owing_a_turn().aexists()
    assert await Message.objects.filter(parent=reply.message).acount() == 1
    await Reply.objects.filter(status=ReplyStatus.QUEUED).aupdate(status=ReplyStatus.STOPPED)
    assert await sync_to_async(speak_next)([uuid.uuid4()]) == [None]


async def test_who_is_muted_when_a_group_begins_answers_only_when_chosen(web, key, model_server):
    me = await User.objects.aget()
    slugs = await sync_to_async(group_of)(me, "Ann", "Ben", "Cay")
    model_server.script(Answer(text="I am Ben."))
    async with Talk(web.url, key) as talk:
        muted = [slugs[0], slugs[2]]
        sent = await talk.send("Hi", group=slugs, muted=muted, turn_order="turn")
        await talk.until_end(sent["reply"])
        model_server.script(Answer(text="I am Ann."))
        asked = await talk.send("And Ann?", conversation=sent["conversation"], speaker=slugs[0])
        await talk.until_end(asked["reply"])
        tree = await talk.get(f"/api/v1/conversations/{sent['conversation']}")
    assert [member["is_muted"] for member in tree["members"]] == [True, False, True]
    answers = [node["text"] for node in tree["messages"] if node["role"] == "assistant"]
    assert answers[-2:] == ["I am Ben.", "I am Ann."]


async def test_what_is_chosen_for_a_message_holds_for_all_who_answer_it(web, key, model_server):
    me = await User.objects.aget()
    slugs = await sync_to_async(group_of)(me, "Ann", "Ben")
    await Character.objects.filter(slug=slugs[1]).aupdate(max_tokens=900, temperature=1.4)
    model_server.script(Answer(text="I am Ann."), Answer(text="I am Ben."))
    async with Talk(web.url, key) as talk:
        sent = await talk.send("Hi", group=slugs, turn_order="turn", max_tokens=33, temperature=0.1)
        await talk.until_end(sent["reply"])
        await sync_to_async(model_server.wait_until)(lambda: len(model_server.chats) == 2)
    asked = [(request.body["max_tokens"], request.body["temperature"]) for request in model_server.chats]
    assert asked == [(33, 0.1)] * 2
