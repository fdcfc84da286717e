"""A SillyTavern folder comes in whole, once, and says what did not."""

import base64
import io
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from accounts.errors import InvalidInput
from accounts.models import User
from characters.models import Character, Lorebook, Persona
from characters.services import create_character
from chat.character_usage import count_usage
from chat.models import Conversation, Feedback, FolderImport, Member, Message, Reply, ReplyStatus
from chat.sillytavern.chats import read_chat, read_time
from chat.sillytavern.folder import Folder
from chat.sillytavern.importing import import_folder
from chat.sillytavern.reading import run_import

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada@example.org", name="Ada")


def card(name: str, **data: object) -> bytes:
    body = {"spec": "chara_card_v2", "spec_version": "2.0", "data": {"name": name, **data}}
    info = PngInfo()
    info.add_text("chara", base64.b64encode(json.dumps(body).encode()).decode())
    buffer = io.BytesIO()
    Image.new("RGB", (40, 60), "#334455").save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def jsonl(*lines: object) -> bytes:
    return "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()


HEAD = {
    "user_name": "Ada",
    "character_name": "Mira",
    "create_date": "2024-05-01@20h00m00s",
    "chat_metadata": {"note_prompt": "Keep it short.", "note_depth": 2},
}
CHAT = jsonl(
    HEAD,
    {
        "name": "Mira",
        "is_user": False,
        "send_date": "May 1, 2024 8:00pm",
        "mes": "Look up.",
        "swipes": ["Look up.", "Hello."],
    },
    {"name": "Ada", "is_user": True, "send_date": "May 1, 2024 8:01pm", "mes": "How many?"},
    {
        "name": "Mira",
        "is_user": False,
        "send_date": "May 1, 2024 8:02pm",
        "mes": "Nine, I think.",
        "swipes": ["Eight.", "Nine.", "Ten."],
        "swipe_id": 1,
    },
    "this line is broken",
    {"name": "System", "is_system": True, "mes": "Bookmark created"},
)
FILES: dict[str, bytes] = {
    "characters/Mira.png": card("Mira", description="Counts stars.", first_mes="Look up."),
    "characters/Nils.png": card("Nils", first_mes="Hej."),
    "characters/Broken.png": b"\x89PNG\r\n\x1a\nnothing",
    "characters/Mira/joy.png": card("no card but a picture"),
    "characters/Mira/anger.png": b"no picture",
    "worlds/Harbour.json": json.dumps(
        {"entries": {"0": {"uid": 0, "key": ["quay"], "content": "The quay is closed.", "order": 100}}}
    ).encode(),
    "worlds/Nonsense.json": b"[1, 2",
    "chats/Mira/Mira - 2024-05-01@20h00m00s.jsonl": CHAT,
    "chats/Mira/Empty.jsonl": jsonl(HEAD),
    "group chats/Two at once.jsonl": jsonl(
        {"user_name": "Ada"},
        {"name": "Ada", "is_user": True, "mes": "Who is there?", "send_date": 1714600000000},
        {"name": "Nils", "is_user": False, "mes": "I am."},
        {"name": "Mira", "is_user": False, "mes": "And I."},
        {"name": "Ghost", "is_user": False, "mes": "And I was."},
    ),
    "group chats/1714600000001.jsonl": jsonl(
        {"user_name": "Ada"},
        {"name": "Ada", "is_user": True, "mes": "And now?", "send_date": 1714600000001},
        {"name": "Mira", "is_user": False, "mes": "Now we wait."},
    ),
    "groups/1714600000000.json": json.dumps(
        {
            "name": "The watch",
            "members": ["Nils.png", "Mira.png"],
            "disabled_members": ["Nils.png"],
            "activation_strategy": 2,
            "chats": ["1714600000001"],
        }
    ).encode(),
    "groups/broken.json": b"{",
    "settings.json": json.dumps(
        {
            "power_user": {
                "personas": {"ada.png": "Ada", "night.png": "Night Ada"},
                "persona_descriptions": {"ada.png": {"description": "Keeps the house."}},
            }
        }
    ).encode(),
    "User Avatars/ada.png": card("no card but a picture"),
    "backgrounds/sea.jpg": b"not asked for",
}


def packed(files: dict[str, bytes], root: str = "data/default-user/") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in files.items():
            archive.writestr(root + path, data)
    return buffer.getvalue()


def bring(ada: User, files: dict[str, bytes]) -> dict[str, tuple[str, str]]:
    report = import_folder(actor=ada, folder=Folder(io.BytesIO(packed(files))))
    return {f"{line.kind} {line.name}": (line.state, line.note) for line in report.lines}


def test_person_brings_a_folder_in_everything_has_a_line(ada: User):
    lines = bring(ada, FILES)

    assert {name: state for name, (state, _note) in lines.items()} == {
        "character Mira": "in",
        "character Nils": "in",
        "character Broken.png": "out",
        "lorebook Harbour": "in",
        "lorebook Nonsense.json": "out",
        "persona Ada": "in",
        "persona Night Ada": "in",
        "chat How many?": "in",
        "chat chats/Mira/Empty.jsonl": "out",
        "chat Two at once": "in",
        "chat The watch": "in",
    }
    assert all(note for state, note in lines.values() if state == "out")
    assert lines["chat How many?"][1] == "2 lines were no messages."
    assert "Ghost" in lines["chat Two at once"][1]
    mira = Character.objects.get(name="Mira")
    assert (mira.owner, mira.definition, mira.is_shown) == (ada, "Counts stars.", False)
    assert mira.avatar
    assert list(mira.assets.filter(kind="expression").values_list("name", flat=True)) == ["joy"]
    assert lines["character Mira"][1] == "1 expression stayed out."
    assert Lorebook.objects.get(name="Harbour").entries.get().content == "The quay is closed."
    assert Persona.objects.get(name="Ada").description == "Keeps the house."
    assert Persona.objects.get(name="Ada").avatar


def test_chat_comes_in_with_swipes_as_branches(ada: User):
    bring(ada, FILES)

    chat = Conversation.objects.get(title="How many?")
    mira = Character.objects.get(name="Mira")
    assert (chat.character, chat.version_id) == (mira, mira.version_id)
    assert (chat.author_note, chat.author_note_depth) == ("Keep it short.", 2)
    assert chat.persona == Persona.objects.get(name="Ada")
    assert chat.created_at == datetime(2024, 5, 1, 20, 0, tzinfo=UTC)
    shown = chat.current_message
    assert shown is not None
    assert shown.text == "Nine, I think."
    assert set(shown.parent.children.values_list("text", flat=True)) == {"Eight.", "Nine, I think.", "Ten."}
    assert shown.parent.text == "How many?"
    assert shown.parent.parent.text == "Look up."
    assert set(chat.messages.filter(parent=None).values_list("text", flat=True)) == {"Look up.", "Hello."}


def test_group_chat_comes_in_with_its_speakers(ada: User):
    bring(ada, FILES)

    chat = Conversation.objects.get(title="Two at once")
    assert [member.character.name for member in Member.objects.filter(conversation=chat)] == ["Nils", "Mira"]
    said = {message.text: message.character for message in chat.messages.select_related("character")}
    assert said["I am."].name == "Nils"
    assert said["And I was."] is None


def test_group_keeps_its_name_its_members_and_who_answers(ada: User):
    bring(ada, FILES)

    chat = Conversation.objects.get(title="The watch")
    members = Member.objects.filter(conversation=chat)
    assert [(member.character.name, member.is_muted) for member in members] == [
        ("Nils", True),
        ("Mira", False),
    ]
    assert chat.turn_order == "choice"
    assert chat.messages.get(text="Now we wait.").character.name == "Mira"


def test_second_import_brings_nothing_twice(ada: User):
    bring(ada, FILES)
    counts = [model.objects.count() for model in (Character, Lorebook, Persona, Conversation, Message)]

    again = bring(ada, FILES)

    assert {state for state, _note in again.values()} == {"here", "out"}
    assert [
        model.objects.count() for model in (Character, Lorebook, Persona, Conversation, Message)
    ] == counts


def test_command_reads_a_directory(ada: User, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    (tmp_path / "worlds" / "link.json").symlink_to("/etc/passwd")

    call_command("import_sillytavern", tmp_path, "ada@example.org")

    shown = capsys.readouterr().out
    assert "characters   2 came in, 0 were here, 1 stayed out" in shown
    assert "link" not in shown


def test_person_sends_a_zip_and_reads_the_report(ada: User, django_capture_on_commit_callbacks):
    page = Client()
    page.force_login(ada)
    for data in (b"no archive", packed({"readme.txt": b"nothing"}, "")):
        refused = page.post("/import/", {"file": SimpleUploadedFile("x.zip", data)})
        assert refused.status_code == 422
    assert not FolderImport.objects.exists()
    with django_capture_on_commit_callbacks(execute=False) as later:
        page.post("/import/", {"file": SimpleUploadedFile("tavern.zip", packed(FILES))})
    assert len(later) == 1
    row = FolderImport.objects.get()
    assert "Waits for its turn." in page.get("/import/").content.decode()

    run_import(row.pk)
    run_import(row.pk)

    shown = page.get("/import/").content.decode()
    assert "Ghost" in shown
    assert "data-running" not in shown
    assert Conversation.objects.count() == 3
    other = Client()
    other.force_login(User.objects.create_user("bo@example.org"))
    assert "tavern.zip" not in other.get("/import/").content.decode()


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xfe\x00", b"[]\n{}\nnull", b'{"mes": 3}', b"[" * 100_000, b'{"mes":"a\\u0000\\ud800b"}'],
)
def test_broken_chat_is_counted_never_raised(data: bytes):
    chat = read_chat(data)

    assert all("\0" not in text for message in chat.messages for text in message.texts)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("June 14, 2023 6:46pm", datetime(2023, 6, 14, 18, 46, tzinfo=UTC)),
        ("2023-06-14 @18h 46m 30s 912ms", datetime(2023, 6, 14, 18, 46, 30, tzinfo=UTC)),
        ("2023-06-14@18h46m30s", datetime(2023, 6, 14, 18, 46, 30, tzinfo=UTC)),
        ("2024-05-01T12:00:00.000Z", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        (1714564800000, datetime(2024, 5, 1, 12, tzinfo=UTC)),
        ("1714564800000", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        ("yesterday", None),
        (10**30, None),
        (None, None),
    ],
)
def test_times_of_all_releases_are_read(written: object, meant: datetime | None):
    assert read_time(written) == meant


def test_archive_with_too_many_files_is_refused():
    with pytest.raises(InvalidInput):
        Folder(io.BytesIO(packed({f"chats/a/{n}.jsonl": b"" for n in range(50_001)})))


def test_house_counts_what_characters_are_used_for(ada: User):
    mira = create_character(actor=ada, name="Mira")
    nils = create_character(actor=ada, name="Nils")
    for _ in range(2):
        chat = Conversation.objects.create(owner=ada, character=mira)
        for speaker, verdict in ((None, "up"), (nils, "down")):
            message = Message.objects.create(conversation=chat, role="assistant", character=speaker, text="x")
            Reply.objects.create(
                message=message,
                requested_by=ada,
                model_name="m",
                status=ReplyStatus.COMPLETE,
                completion_tokens=7,
            )
            Feedback.objects.create(message=message, verdict=verdict)

    count_usage()
    count_usage()

    usage = Character.objects.get(pk=mira.pk).usage
    assert (usage.people, usage.conversations, usage.replies, usage.tokens) == (1, 2, 2, 14)
    assert (usage.liked, usage.disliked) == (2, 0)
    assert Character.objects.get(pk=nils.pk).usage.disliked == 2
    assert Character.objects.get(pk=mira.pk).popularity == 1
    Reply.objects.all().delete()
    count_usage()
    assert Character.objects.get(pk=mira.pk).popularity == 0
