"""Speech to text over OpenAI's wire format, with and without times."""

import io
from email.parser import BytesParser
from email.policy import HTTP

import pytest

from inference.errors import AnswerGarbled, RequestRejected, TranscriptionUnavailable
from inference.models import Capability
from inference.transcription import Segment, transcribe
from tests.inference.conftest import add_model
from tests.openai_server import Recorded, Response, ScriptedServer

pytestmark = pytest.mark.django_db
PATH = ("POST", "/v1/audio/transcriptions")


def fields_of(request: Recorded) -> dict[str, bytes]:
    """The parts of a multipart request by name; the file's own name under `filename`."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    parts = BytesParser(policy=HTTP).parsebytes(head + request.body).iter_parts()
    fields: dict[str, bytes] = {}
    for part in parts:
        fields[str(part.get_param("name", header="content-disposition"))] = part.get_payload(decode=True)
        if part.get_filename():
            fields["filename"] = part.get_filename().encode()
    return fields


def whisper(request: Recorded) -> Response:
    if fields_of(request).get("response_format", b"json") == b"json":
        return Response({"text": " Good morning. How are you?"})
    segments = [
        {"id": 0, "start": 0.0, "end": 1.5, "text": " Good morning."},
        {"id": 1, "start": 1.5, "end": 3.0, "text": " How are you?"},
    ]
    # vLLM sends the duration as a string, OpenAI as a number.
    text = " Good morning. How are you?"
    return Response({"text": text, "language": "en", "duration": "3.0", "segments": segments})


def test_caller_gets_text_and_times(server: ScriptedServer) -> None:
    server.routes[PATH] = whisper
    add_model("whisper-1", base_url=server.url, capability=Capability.TRANSCRIPTION)
    heard = transcribe(io.BytesIO(b"RIFF..."), name="talk.wav", language="en")
    assert heard.text == "Good morning. How are you?"
    assert heard.segments == (Segment(0.0, 1.5, "Good morning."), Segment(1.5, 3.0, "How are you?"))
    assert (heard.language, heard.duration_seconds) == ("en", 3.0)
    sent = fields_of(server.requests[-1])
    assert (sent["model"], sent["language"], sent["file"]) == (b"whisper-1", b"en", b"RIFF...")
    assert sent["filename"] == b"talk.wav"


def test_model_without_times_is_asked_for_the_text_alone(server: ScriptedServer) -> None:
    def no_times(request: Recorded) -> Response:
        if fields_of(request)["response_format"] == b"verbose_json":
            return Response({"error": {"message": "response_format 'verbose_json' is not compatible"}}, 400)
        return whisper(request)

    server.routes[PATH] = no_times
    add_model("gpt-4o-transcribe", base_url=server.url, capability=Capability.TRANSCRIPTION)
    heard = transcribe(io.BytesIO(b"RIFF..."))
    assert (heard.text, heard.segments) == ("Good morning. How are you?", ())


def test_house_without_a_transcriber_says_what_would_connect_one() -> None:
    with pytest.raises(TranscriptionUnavailable, match="Whisper"):
        transcribe(io.BytesIO(b"RIFF..."))


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(b"<html>"), AnswerGarbled),
        (Response({"error": {"message": "Invalid file format."}}, 400), RequestRejected),
    ],
)
def test_answer_that_is_amiss_is_an_error_of_its_own(
    server: ScriptedServer, response: Response, error: type[Exception]
) -> None:
    server.routes[PATH] = lambda request: response
    add_model("whisper-1", base_url=server.url, capability=Capability.TRANSCRIPTION)
    with pytest.raises(error):
        transcribe(io.BytesIO(b"not speech"))
