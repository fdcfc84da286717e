"""Trials of two models, and what people think of answers."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from characters.models import Character
from chat import posting
from chat.choices import Choices
from chat.models import Arm, Feedback, Message, Reply, Sticky, Trial
from chat.posting import NewPost
from chat.trials import services as trials
from inference.models import Capability, Deployment, Model, Server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh_trials() -> None:
    trials.forget_trials()


@pytest.fixture
def server() -> Server:
    return Server.objects.create(name="here", base_url="http://127.0.0.1:1/v1")


def add_model(server: Server, name: str, **fields: object) -> Model:
    model = Model.objects.create(name=name, capabilities=[Capability.CHAT], **fields)
    Deployment.objects.create(model=model, server=server, remote_name=name)
    return model


@pytest.fixture
def usual(server) -> Model:
    return add_model(server, "usual", is_default=True)


@pytest.fixture
def other(server) -> Model:
    return add_model(server, "other")


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.com", "a long password")


def begin(actor: User, **choices: object) -> Reply:
    return posting.post_message(NewPost(actor=actor, text="Hello", choices=Choices(**choices))).reply


def test_share_of_a_models_conversations_goes_to_the_other_model(ada, usual, other):
    trial = Trial.objects.create(name="t", model=usual, other_model=other, share_percent=30)
    replies = [begin(ada) for _ in range(200)]
    arms = [reply.arm for reply in replies]
    assert 35 <= arms.count(Arm.OTHER) <= 85
    assert all(reply.trial_id == trial.pk for reply in replies)
    assert all(reply.model_name == ("other" if reply.arm == Arm.OTHER else "usual") for reply in replies)


def test_conversation_stays_on_its_side(ada, usual, other):
    Trial.objects.create(name="t", model=usual, other_model=other)
    for _ in range(8):
        first = begin(ada)
        Reply.objects.filter(pk=first.pk).update(status="complete")
        conversation_id = first.message.conversation_id
        post = NewPost(actor=ada, text="And then?", conversation_id=conversation_id)
        again = posting.post_message(post).reply
        assert (again.arm, again.model_name) == (first.arm, first.model_name)


def test_person_stays_on_one_side_where_the_trial_says_so(ada, usual, other):
    Trial.objects.create(name="t", model=usual, other_model=other, sticky_by=Sticky.USER)
    assert len({begin(ada).arm for _ in range(12)}) == 1


def test_trial_of_a_character_leaves_others_and_own_choices_alone(ada, usual, other):
    mira = Character.objects.create(slug="mira", name="Mira")
    Trial.objects.create(name="t", character=mira, other_model=other, share_percent=100)
    assert begin(ada, character="mira").model_name == "other"
    assert begin(ada).arm == ""
    assert begin(ada, character="mira", model="usual").arm == ""


def test_other_model_that_is_away_leaves_the_usual_one_to_answer(ada, usual, other):
    Trial.objects.create(name="t", model=usual, other_model=other, share_percent=100)
    Deployment.objects.filter(model=other).update(is_enabled=False)
    reply = begin(ada)
    assert (reply.model_name, reply.arm) == ("usual", "")


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def judge(client: Client, message_id: uuid.UUID, verdict: str | None):
    path = f"/api/v1/messages/{message_id}/feedback"
    return client.put(path, {"verdict": verdict}, content_type="application/json")


def test_person_judges_an_answer_and_takes_it_back(signed_in, ada, usual):
    message = begin(ada).message
    assert judge(signed_in, message.pk, "up").status_code == 204
    assert judge(signed_in, message.pk, "down").status_code == 204
    tree = signed_in.get(f"/api/v1/conversations/{message.conversation_id}").json()
    assert [node["feedback"] for node in tree["messages"]] == [None, "down"]
    assert judge(signed_in, message.pk, None).status_code == 204
    assert not Feedback.objects.exists()


def test_answers_of_others_and_ones_own_words_are_not_judged(signed_in, ada, usual):
    eve = User.objects.create_user("eve@example.com", "a long password")
    assert judge(signed_in, begin(eve).message_id, "up").status_code == 404
    question = Message.objects.get(pk=begin(ada).message.parent_id)
    assert judge(signed_in, question.pk, "up").status_code == 409
    assert judge(signed_in, question.pk, "great").status_code == 422
    assert not Feedback.objects.exists()


def test_figures_tell_both_sides_apart(ada, usual, other):
    trial = Trial.objects.create(name="t", model=usual, other_model=other)
    replies = [begin(ada) for _ in range(20)]
    for reply in replies:
        verdict = "up" if reply.arm == Arm.OTHER else "down"
        Feedback.objects.create(message=reply.message, verdict=verdict)
    Reply.objects.filter(pk=replies[0].pk).update(status="failed")
    one, two = trials.read_figures(trial.pk)
    assert (one.arm, two.arm) == (Arm.USUAL, Arm.OTHER)
    assert one.answers + two.answers == 20
    assert (one.up, one.down, one.liked_percent) == (0, one.answers, 0)
    assert (two.up, two.down, two.liked_percent) == (two.answers, 0, 100)
    assert one.failed + two.failed == 1


def test_administrator_runs_a_trial_and_reads_what_came_of_it(client: Client, ada, usual, other):
    administrator = User.objects.create_superuser("admin@example.com", "a long password")
    client.force_login(administrator)
    fields = {"name": "Bigger?", "other_model": str(other.pk), "share_percent": "100", "is_running": "on"}
    fields["sticky_by"] = "conversation"
    add = reverse("admin:chat_trial_add")
    page = client.post(add, fields)
    assert "Choose a character or a model to try something else for, not both." in page.content.decode()
    client.post(add, {**fields, "model": str(usual.pk)})
    trial = Trial.objects.get()
    trials.forget_trials()
    Feedback.objects.create(message=begin(ada).message, verdict="up")
    page = client.get(reverse("admin:chat_trial_change", args=[trial.pk])).content.decode()
    assert "100 %" in page
    listed = client.get(reverse("admin:chat_trial_changelist")).content.decode()
    assert '<td class="field-answers">1</td>' in listed
