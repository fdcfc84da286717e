"""What can go wrong between Parlour and a model server.

InferenceError
├── ModelUnavailable        no such model, or no enabled server offers it
├── ModelCannotSee          pictures for a model that reads text alone
├── KeyMissing              the reference to a server's key leads nowhere
├── ServerUrlRefused        an address that no server may have
├── HubUnreachable          files: the hub does not answer
├── FileNotOnHub            … or does not have it
├── FileDamaged             … or its checksum is wrong
├── NoSpaceLeft             … or the disk is full
├── NotAModelFile           no GGUF
├── NotServedHere           only a local stack serves files itself
├── OperationUnsupported    a kind of server whose models come and go in some other way
├── ModelNameRefused        no name that a library could know
├── ServerError             a server was called; `server_name` says which
│   ├── ServerUnreachable   no connection
│   │   └── ConnectTimeout
│   ├── FirstTokenTimeout   connected, then silence
│   ├── StreamStalled       silence between two tokens
│   ├── StreamCut           the connection ended before the answer did
│   ├── KeyRefused          401, 403
│   ├── ModelGone           404
│   ├── ModelNotInLibrary   a pull of a name that the library does not have
│   ├── RateLimited         429; `retry_after_seconds` if the server said
│   ├── ContextTooLong      400, the conversation does not fit
│   ├── RequestRejected     400, 413, 422 for any other reason
│   ├── ServerFailed        5xx, or an error sent inside the stream
│   └── AnswerGarbled       not the protocol it should speak
├── LimitReached            the caller has used up a limit; `retry_after_seconds` says until when
├── EmbeddingsUnavailable   no model is set up to embed texts
├── RerankUnavailable       … to rerank passages
└── TranscriptionUnavailable … to write down speech

Each sentence for people says what to do. None contains a prompt, a key or the server's own words: those may
quote the prompt back.
"""

from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError, Words


class InferenceError(ParlourError):
    """Anything wrong with models and their servers."""

    code = "inference_error"
    status = 502


class ModelUnavailable(InferenceError):
    code = "model_unavailable"
    status = 404
    user_message = _("This model is not available now. Choose another one.")


class ModelCannotSee(InferenceError):
    code = "model_cannot_see"
    status = 400

    def __init__(self, model: str) -> None:
        super().__init__(
            format_lazy(
                _(
                    "The model “{model}” cannot see pictures. Leave them out or choose one with the capability "
                    "“Vision”; if this one does see, an administrator can mark it so."
                ),
                model=model,
            )
        )


class EmbeddingsUnavailable(InferenceError):
    code = "embeddings_unavailable"
    status = 503
    user_message = _(
        "No embedding model is connected, so documents cannot be searched. "
        "An administrator sets EMBEDDING_URL and EMBEDDING_MODEL."
    )


class RerankUnavailable(InferenceError):
    code = "rerank_unavailable"
    status = 503
    user_message = _(
        "No model that reranks is connected. An administrator adds a server that has one, "
        "or marks a model with the capability “Rerank”."
    )


class TranscriptionUnavailable(InferenceError):
    code = "transcription_unavailable"
    status = 503
    user_message = _(
        "No model that writes down speech is connected. An administrator adds a server that has one, "
        "for instance Whisper, or marks a model with the capability “Transcription”."
    )


class LimitReached(InferenceError):
    """Somebody has used up what a limit grants; the limit begins anew after `retry_after_seconds`."""

    code = "limit_reached"
    status = 429
    is_retryable = True

    def __init__(self, sentence: Words, *, retry_after_seconds: float) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(sentence)


class KeyMissing(InferenceError):
    code = "key_missing"
    status = 503

    def __init__(self, server_name: str, reference: str) -> None:
        super().__init__(
            format_lazy(
                _("The key of the server “{server}” is missing: set {reference}, then start again."),
                server=server_name,
                reference=reference,
            )
        )


class ServerUrlRefused(InferenceError):
    code = "server_url_refused"
    status = 422
    user_message = _("This address cannot be used for a model server.")


class ModelNameRefused(InferenceError):
    code = "model_name_refused"
    status = 422
    user_message = _("That is no model’s name. Write it as the library does, for instance llama3.2:3b.")


class OperationUnsupported(InferenceError):
    """Something was asked of a server that its kind cannot do."""

    code = "operation_unsupported"
    status = 422

    def __init__(self, server_name: str, kind: object) -> None:
        super().__init__(
            format_lazy(
                _(
                    "“{server}” is a server of the kind {kind}: what it runs is chosen where it is started, "
                    "not from here."
                ),
                server=server_name,
                kind=kind,
            )
        )


class HubUnreachable(InferenceError):
    code = "hub_unreachable"
    status = 503
    is_retryable = True
    user_message = _(
        "The model hub cannot be reached from here. Check this machine's way to the internet and fetch again: "
        "it goes on where it stopped."
    )


class FileNotOnHub(InferenceError):
    code = "file_not_on_hub"
    status = 404
    user_message = _(
        "The model hub does not have this file, or does not give it to everybody. Choose another one."
    )


class FileDamaged(InferenceError):
    code = "file_damaged"
    user_message = _("The file did not arrive as it left: its checksum is wrong. Fetch it again.")


class NoSpaceLeft(InferenceError):
    code = "no_space_left"
    status = 507

    def __init__(self, needed_bytes: int) -> None:
        gigabytes = f"{needed_bytes / 1e9:.1f}"
        super().__init__(
            format_lazy(_("The disk has no room for it: {gigabytes} GB must be free."), gigabytes=gigabytes)
        )


class NotAModelFile(InferenceError):
    code = "not_a_model_file"
    status = 422
    user_message = _("This is not a whole GGUF file. Export the model as GGUF, or fetch the file again.")


class NotServedHere(InferenceError):
    code = "not_served_here"
    status = 422
    user_message = _(
        "Parlour serves files itself only on a laptop (make run), and there only where MODEL_GGUF names none. "
        "Create the model on an Ollama server instead."
    )


class ServerError(InferenceError):
    """A call to `server_name` failed. Subclasses say how in `sentence`, where {server} is its name."""

    code = "server_error"
    sentence = _("The model server “{server}” did not answer as it should. Try again.")

    def __init__(self, server_name: str, **values: object) -> None:
        self.server_name = server_name
        super().__init__(format_lazy(self.sentence, server=server_name, **values))


class ServerUnreachable(ServerError):
    code = "server_unreachable"
    status = 503
    is_retryable = True
    sentence = _(
        "The model server “{server}” cannot be reached. Try again in a moment; "
        "if it stays so, an administrator should check that it runs and that its address is right."
    )


class ConnectTimeout(ServerUnreachable):
    code = "connect_timeout"
    sentence = _(
        "The model server “{server}” did not accept a connection in time. Try again in a moment; "
        "if it stays so, an administrator should check its address and the network."
    )


class FirstTokenTimeout(ServerError):
    code = "first_token_timeout"
    status = 504
    is_retryable = True
    sentence = _(
        "The model server “{server}” took the question and then stayed silent for too long. "
        "It may be loading the model or be overloaded: try again in a minute, or choose another model."
    )


class StreamStalled(ServerError):
    code = "stream_stalled"
    status = 504
    is_retryable = True
    sentence = _("The model server “{server}” stopped in the middle of its answer. Try again.")


class StreamCut(ServerError):
    code = "stream_cut"
    is_retryable = True
    sentence = _(
        "The connection to the model server “{server}” broke in the middle of the answer. Try again."
    )


class KeyRefused(ServerError):
    code = "key_refused"
    sentence = _(
        "The model server “{server}” refused Parlour's key. "
        "An administrator should check the API key of that server."
    )


class ModelGone(ServerError):
    code = "model_gone"
    status = 404
    sentence = _("The model server “{server}” does not have this model any more. Choose another model.")


class ModelNotInLibrary(ServerError):
    code = "model_not_in_library"
    status = 404
    sentence = _(
        "The library of “{server}” has no model of this name. Check the spelling; "
        "a name looks like llama3.2 or qwen3:8b."
    )


class RateLimited(ServerError):
    code = "rate_limited"
    status = 429
    is_retryable = True
    sentence = _("The model server “{server}” has too many requests now. Try again in a moment.")
    timed_sentence = _(
        "The model server “{server}” has too many requests now. Try again in {seconds} seconds."
    )

    def __init__(self, server_name: str, retry_after_seconds: float | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        if retry_after_seconds is not None:
            self.sentence = self.timed_sentence
        super().__init__(server_name, seconds=max(1, round(retry_after_seconds or 0)))


class ContextTooLong(ServerError):
    code = "context_too_long"
    status = 400
    sentence = _(
        "This conversation is longer than the model can read. Start a new one, attach less, "
        "or choose a model with a longer context."
    )


class RequestRejected(ServerError):
    code = "request_rejected"
    status = 400
    sentence = _(
        "The model server “{server}” rejected the request. Choose another model; "
        "if it stays so, an administrator should look at that server's log."
    )


class ServerFailed(ServerError):
    code = "server_failed"
    is_retryable = True
    sentence = _(
        "The model server “{server}” failed while answering. Try again; "
        "if it stays so, an administrator should look at that server's log."
    )


class AnswerGarbled(ServerError):
    code = "answer_garbled"
    sentence = _(
        "“{server}” answered with something that is not the OpenAI protocol. "
        "An administrator should check that its address is a model server's and ends where its API begins, "
        "often in /v1."
    )
