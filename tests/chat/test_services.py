"""What people do in conversations: the tree, its branches, repeats, and what is refused."""

import uuid

import pytest

from accounts.errors import NotFound
from accounts.models import AuditEntry, User
from characters.models import Character
from chat import posting, services
from chat.choices import Choices
from chat.contexts import load_history, load_reply_context
from chat.errors import EmptyMessage, MessageTooLong, NotRepliable, ReplyRunning
from chat.models import Conversation, Message, Reply, ReplyStatus
from chat.posting import NewPost
from chat.scenes.openings import make_title
from documents.models import Collection
from inference.models import Capability, Deployment, Model, Server

pytestmark = pytest.mark.django_db


@pytest.fixture
def model():
    server = Server.objects.create(name="here", base_url="http://127.0.0.1:1/v1")
    model = Model.objects.create(name="talker", capabilities=[Capability.CHAT], is_default=True)
    Deployment.objects.create(model=model, server=server, remote_name="talker")
    return model


@pytest.fixture
def ada(model):
    return User.objects.create_user("ada@example.com", "a long password")


@pytest.fixture
def eve():
    return User.objects.create_user("eve@example.com", "a long password")


def end(reply, text="answer", status=ReplyStatus.COMPLETE):
    Message.objects.filter(pk=reply.message_id).update(text=text)
    Reply.objects.filter(pk=reply.pk).update(status=status)


def post(**fields):
    return posting.post_message(NewPost(**fields))


def test_person_posts_a_message_and_gets_an_empty_answer_below_it(ada):
    posted = post(actor=ada, text=" Hello there ")
    question, answer = posted.messages
    assert (question.text, question.role) == ("Hello there", "user")
    assert (answer.text, answer.parent_id) == ("", question.pk)
    assert posted.reply.status == ReplyStatus.QUEUED
    assert posted.reply.model_name == "talker"
    conversation = Conversation.objects.get()
    assert conversation.current_message_id == answer.pk
    assert conversation.title == "Hello there"


def test_person_posts_twice_with_one_request_id_and_it_is_stored_once(ada):
    first = post(actor=ada, text="Hello", request_id="r1")
    again = post(actor=ada, text="Hello", request_id="r1")
    assert again.is_repeat
    assert again.reply.pk == first.reply.pk
    assert again.user_message.pk == first.user_message.pk
    assert (Conversation.objects.count(), Message.objects.count()) == (1, 2)


def test_two_people_may_use_the_same_request_id(ada, eve):
    post(actor=ada, text="Hello", request_id="r1")
    post(actor=eve, text="Hello", request_id="r1")
    assert Conversation.objects.count() == 2


def test_next_message_hangs_below_the_last_answer(ada):
    first = post(actor=ada, text="One")
    end(first.reply)
    second = post(actor=ada, text="Two", conversation_id=first.conversation.pk)
    assert second.user_message.parent_id == first.reply.message_id
    history = load_history(second.reply.message.parent_id)
    assert [turn.text for turn in history] == ["One", "answer", "Two"]


def test_person_cannot_post_below_a_running_reply(ada):
    first = post(actor=ada, text="One")
    with pytest.raises(ReplyRunning):
        post(actor=ada, text="Two", conversation_id=first.conversation.pk)


def test_character_greets_first_and_brings_its_model_and_voice(ada, model):
    model.is_default = False
    character = Character.objects.create(
        slug="mira", name="Mira", greeting="Good evening.", system_prompt="You are Mira.", temperature=0.3
    )
    posted = post(actor=ada, text="Hi", choices=Choices(character="mira"))
    context = load_reply_context(posted.reply.pk)
    assert posted.context.history == context.history
    assert context.character.system_prompt == "You are Mira."
    assert [turn.text for turn in context.history] == ["Good evening.", "Hi"]
    assert posted.context.temperature == 0.3
    assert posted.conversation.character == character


def test_edit_makes_a_branch_and_leaves_the_old_one(ada):
    first = post(actor=ada, text="One")
    end(first.reply)
    edited = posting.edit_message(actor=ada, message_id=first.user_message.pk, text="Uno")
    assert edited.user_message.parent_id == first.user_message.parent_id
    assert Message.objects.filter(role="user").count() == 2
    assert edited.conversation.current_message_id == edited.reply.message_id


def test_regenerate_makes_a_second_answer_to_the_same_question(ada):
    first = post(actor=ada, text="One")
    end(first.reply)
    again = posting.regenerate_message(actor=ada, message_id=first.reply.message_id)
    assert again.reply.message.parent_id == first.user_message.pk
    assert again.reply.message_id != first.reply.message_id


def test_continue_keeps_the_message_and_begins_a_new_reply(ada):
    first = post(actor=ada, text="One")
    end(first.reply, "Half an ans", ReplyStatus.STOPPED)
    more = posting.continue_message(actor=ada, message_id=first.reply.message_id)
    assert more.reply.message_id == first.reply.message_id
    assert more.reply.is_continuation


def test_continue_of_a_running_reply_is_refused(ada):
    first = post(actor=ada, text="One")
    with pytest.raises(ReplyRunning):
        posting.continue_message(actor=ada, message_id=first.reply.message_id)


def test_own_words_cannot_be_continued_and_answers_cannot_be_edited(ada):
    first = post(actor=ada, text="One")
    end(first.reply)
    with pytest.raises(NotRepliable):
        posting.continue_message(actor=ada, message_id=first.user_message.pk)
    with pytest.raises(NotRepliable):
        posting.edit_message(actor=ada, message_id=first.reply.message_id, text="x")


@pytest.mark.parametrize(
    ("text", "error"), [(" \n", EmptyMessage), ("\x00", EmptyMessage), ("x" * 100_001, MessageTooLong)]
)
def test_message_that_cannot_be_sent_is_refused_and_nothing_is_stored(ada, text, error):
    with pytest.raises(error):
        post(actor=ada, text=text)
    assert not Conversation.objects.exists()


def test_nul_in_a_text_is_left_out(ada):
    assert post(actor=ada, text="a\x00b").user_message.text == "ab"


def test_stranger_finds_nothing(ada, eve):
    mine = post(actor=ada, text="Secret")
    end(mine.reply)
    conversation_id, message_id = mine.conversation.pk, mine.user_message.pk
    attempts = [
        lambda: post(actor=eve, text="x", conversation_id=conversation_id),
        lambda: posting.edit_message(actor=eve, message_id=message_id, text="x"),
        lambda: posting.regenerate_message(actor=eve, message_id=mine.reply.message_id),
        lambda: posting.continue_message(actor=eve, message_id=mine.reply.message_id),
        lambda: services.stop_reply(actor=eve, reply_id=mine.reply.pk),
        lambda: services.rename_conversation(actor=eve, conversation_id=conversation_id, title="x"),
        lambda: services.move_to_branch(actor=eve, conversation_id=conversation_id, message_id=message_id),
        lambda: services.delete_conversation(actor=eve, conversation_id=conversation_id),
    ]
    for attempt in attempts:
        with pytest.raises(NotFound):
            attempt()
    assert Conversation.objects.get().title == "Secret"


def test_message_of_another_conversation_is_no_parent(ada):
    one, two = (post(actor=ada, text=text) for text in ("One", "Two"))
    end(one.reply)
    end(two.reply)
    with pytest.raises(NotFound):
        post(actor=ada, text="x", conversation_id=one.conversation.pk, parent_id=two.reply.message_id)


def test_foreign_collection_cannot_be_attached(ada, eve):
    foreign = Collection.objects.create(owner=eve, name="Eve's")
    with pytest.raises(NotFound):
        post(actor=ada, text="x", choices=Choices(collections=[foreign.pk]))
    assert not Conversation.objects.exists()


def test_private_character_is_not_found_by_others(ada, eve):
    Character.objects.create(slug="own", name="Own", owner=eve, visibility="private")
    with pytest.raises(NotFound):
        post(actor=ada, text="x", choices=Choices(character="own"))


def test_deleting_takes_messages_and_replies_along(ada):
    posted = post(actor=ada, text="One")
    services.delete_conversation(actor=ada, conversation_id=posted.conversation.pk)
    assert not Message.objects.exists()
    assert not Reply.objects.exists()
    assert not AuditEntry.objects.filter(target_name__contains="One").exists()


def test_unknown_ids_are_not_found(ada):
    with pytest.raises(NotFound):
        services.stop_reply(actor=ada, reply_id=uuid.uuid4())


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Short", "Short"),
        ("First line\nsecond", "First line"),
        ("word " * 40, "word word word word word word word word word word word word…"),
        ("x" * 70, "x" * 60 + "…"),
    ],
)
def test_title_is_the_first_line_cut_after_a_word(text, title):
    assert make_title(text.strip()) == title


def test_posts_stored_together_are_each_answered_or_refused(ada, eve):
    first = post(actor=ada, text="One", request_id="r1")
    end(first.reply)
    theirs = post(actor=eve, text="Theirs").conversation.pk
    posts = [
        NewPost(ada, "New"),
        NewPost(ada, "Two", first.conversation.pk),
        NewPost(ada, "At the same moment", first.conversation.pk),
        NewPost(ada, "Not mine", theirs),
        NewPost(eve, "  "),
        NewPost(ada, "One", request_id="r1"),
        NewPost(eve, "Newer"),
    ]
    new, second, at_once, foreign, empty, again, newer = posting.post_messages(posts)
    assert second.user_message.parent_id == first.reply.message_id
    assert isinstance(at_once, ReplyRunning)
    assert isinstance(foreign, NotFound)
    assert isinstance(empty, EmptyMessage)
    assert again.is_repeat
    assert again.reply == first.reply
    assert [new.conversation.owner, newer.conversation.owner] == [ada, eve]
    assert Message.objects.filter(text="Two").count() == 1
    assert Conversation.objects.count() == 4
