"""Chats keep the character they began with, until their person moves them on."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from characters.models import Character
from characters.publishing import publish_character
from characters.services import create_character, update_character
from chat import posting, services
from chat.choices import Choices
from chat.contexts import ReplyContext, load_reply_context
from chat.models import Conversation, Message, Reply, ReplyStatus
from chat.posting import NewPost
from tests.chat.test_services import ada, model  # noqa: F401  (fixtures)

pytestmark = pytest.mark.django_db


@pytest.fixture
def author() -> User:
    return User.objects.create_superuser("author@example.org")


@pytest.fixture
def mira(author: User) -> Character:
    row = create_character(
        actor=author, name="Mira", greeting="Look up.", system_prompt="You count stars.", temperature=0.2
    )
    return publish_character(actor=author, character_id=row.pk)


def begin(person: User) -> Conversation:
    posted = posting.post_message(NewPost(actor=person, text="How many?", choices=Choices(character="mira")))
    finish(posted.reply)
    return posted.conversation


def finish(reply: Reply) -> None:
    Message.objects.filter(pk=reply.message_id).update(text="Nine.")
    Reply.objects.filter(pk=reply.pk).update(status=ReplyStatus.COMPLETE)


def say(person: User, conversation: Conversation, **choices: object) -> Reply:
    return posting.post_message(
        NewPost(actor=person, text="And now?", conversation_id=conversation.pk, choices=Choices(**choices))
    ).reply


def prompt_of(reply: Reply) -> str:
    context = context_of(reply)
    assert context.character is not None
    return context.character.system_prompt


def context_of(reply: Reply) -> ReplyContext:
    context = load_reply_context(reply.pk)
    assert context is not None
    return context


def change(author: User, mira: Character) -> Character:
    return update_character(
        actor=author, character_id=mira.pk, system_prompt="You sell telescopes.", temperature=1.5
    )


def test_running_chat_keeps_its_version_until_moved(ada: User, author: User, mira: Character):  # noqa: F811
    chat = begin(ada)
    change(author, mira)

    # The composer names the character with every message; that alone moves nothing.
    reply = say(ada, chat, character="mira")
    assert prompt_of(reply) == "You count stars."
    assert context_of(reply).temperature == 0.2
    finish(reply)

    services.follow_character(actor=ada, conversation_id=chat.pk)
    reply = say(ada, chat)
    assert prompt_of(reply) == "You sell telescopes."
    assert context_of(reply).temperature == 1.5


def test_new_chat_begins_with_the_newest_version(ada: User, author: User, mira: Character):  # noqa: F811
    change(author, mira)

    chat = begin(ada)

    assert chat.version is not None
    assert chat.version.number == 2
    assert prompt_of(say(ada, chat)) == "You sell telescopes."


def test_chat_keeps_a_character_that_is_shown_no_more(ada: User, author: User, mira: Character):  # noqa: F811
    chat = begin(ada)
    Character.objects.update(is_published=False)

    assert prompt_of(say(ada, chat, character="mira")) == "You count stars."


def test_page_is_told_that_the_character_moved_on(ada: User, author: User, mira: Character):  # noqa: F811
    chat = begin(ada)
    page = Client()
    page.force_login(ada)
    assert page.get(f"/api/v1/conversations/{chat.pk}").json()["version"] is None
    update_character(actor=author, character_id=mira.pk, name="Mirabel")

    tree = page.get(f"/api/v1/conversations/{chat.pk}").json()
    assert tree["version"] == {"kept": 1, "newest": 2}
    assert tree["character"]["name"] == "Mira"

    moved = page.post(f"/api/v1/conversations/{chat.pk}/follow-character").json()
    assert moved["version"] is None
    assert moved["character"]["name"] == "Mirabel"


def test_versions_cost_a_message_nothing(ada: User, mira: Character):  # noqa: F811
    def count(person: User) -> int:
        chat = begin(person)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            finish(say(person, chat))
        return len(queries)

    with_version = count(ada)
    Character.objects.update(version=None)
    assert count(ada) == with_version
