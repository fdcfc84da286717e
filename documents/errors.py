"""What can go wrong with a document, and the sentence its owner reads.

DocumentError
├── FileTooLarge             413, nothing was stored
├── FileEmpty
├── TypeUnsupported          what the file really is cannot be read here
├── TypeMistaken             text under the name of another type
├── FileEncrypted            a password protects it
├── FileDamaged              it is of its type, but cannot be read
├── TextMissing              it opened, and held no text
├── ContentTooLarge          it unpacks to more than is sensible: a zip bomb, or a book in one file
├── ReadingTooCostly         reading it took too much time or memory
├── ReadingInterrupted       whoever read it died, several times
├── ReadingStopped           somebody stopped it
├── PicturesUnreadable       a picture or a scan, and nothing here that reads one
├── SpeechUnreadable         a recording, and no model here that hears one
├── UrlRefused               no address that a page can be fetched from
├── UrlUnreachable           the address answers with no page
├── DocumentBusy             an ingest is on its way; nothing to try again
├── DocumentDone             it is ready or failed; nothing to stop
├── UploadMismatch           a part that does not begin where the last one ended, or a file that is not whole
└── EmbeddingsUnusable       the embedding server answers with vectors that cannot be stored

A failed document keeps only the `code`; `failure_message` gives the sentence back in the reader's language.
Everything that can be told from the first bytes is told at upload; the rest ends in `failed`.
"""

from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError


class DocumentError(ParlourError):
    """Anything that keeps a file from becoming a searchable document."""

    code = "document_failed"
    status = 422


class FileTooLarge(DocumentError):
    code = "file_too_large"
    status = 413
    user_message = _("This file is larger than this server accepts. Split it, or ask for a higher limit.")


class FileEmpty(DocumentError):
    code = "file_empty"
    user_message = _("This file is empty. Check that it was saved and upload it again.")


class TypeUnsupported(DocumentError):
    code = "type_unsupported"
    status = 415
    user_message = _(
        "This is not a file that can be read here, whatever its name says. "
        "Documents, spreadsheets, slides, web pages, mails, books, text, code, pictures and recordings can be."
    )


class TypeMistaken(DocumentError):
    code = "type_mistaken"
    status = 415
    user_message = _(
        "The name of this file promises another type, and it holds plain text. Upload the real one, or give it the "
        "ending of a text, such as .txt."
    )


class FileEncrypted(DocumentError):
    code = "file_encrypted"
    user_message = _("A password protects this file. Save a copy without the password and upload that.")


class FileDamaged(DocumentError):
    code = "file_damaged"
    user_message = _(
        "This file is damaged or incomplete. Open it in the program it came from, save it again and upload that."
    )


class TextMissing(DocumentError):
    code = "text_missing"
    user_message = _(
        "No text was found in this file. Upload a version whose text can be selected, or a sharper scan."
    )


class ContentTooLarge(DocumentError):
    code = "content_too_large"
    user_message = _(
        "This file holds more text than is read in one piece, or unpacks to far more than its size promises. "
        "Split it into smaller files."
    )


class ReadingTooCostly(DocumentError):
    code = "reading_too_costly"
    user_message = _(
        "Reading this file took too much time or memory, so it was stopped. Split it, or save it in a simpler form."
    )


class ReadingInterrupted(DocumentError):
    code = "reading_interrupted"
    user_message = _(
        "Reading this file was interrupted several times. Try again, or save it in a simpler form."
    )


class ReadingStopped(DocumentError):
    code = "reading_stopped"
    user_message = _("You stopped this one. Try again to have it read after all.")


class PicturesUnreadable(DocumentError):
    code = "pictures_unreadable"
    user_message = _(
        "This is a picture or a scan, and nothing here can read one. Ask an administrator to install tesseract or "
        "to connect a model that sees, then try again."
    )


class SpeechUnreadable(DocumentError):
    code = "speech_unreadable"
    user_message = _(
        "This is a recording, and no model here can hear one. Ask an administrator to connect a transcription "
        "model, then try again."
    )


class UrlRefused(DocumentError):
    code = "url_refused"
    user_message = _(
        "No page can be fetched from this address. Give a public address that begins with http:// or https://."
    )


class UrlUnreachable(DocumentError):
    code = "url_unreachable"
    user_message = _(
        "The address did not answer with a page. Open it in a browser, and give the address that it ends at."
    )


class DocumentBusy(DocumentError):
    code = "document_busy"
    status = 409
    user_message = _("This document is being worked on already. Wait until it is ready.")


class DocumentDone(DocumentError):
    code = "document_done"
    status = 409
    user_message = _("This document is not being read any more, so there is nothing to stop.")


class UploadMismatch(DocumentError):
    code = "upload_mismatch"
    status = 409
    user_message = _(
        "This part does not follow the last one. Ask how far the upload is and go on from there."
    )


class EmbeddingsUnusable(DocumentError):
    code = "embeddings_unusable"
    user_message = _(
        "The embedding model answered with something that cannot be stored. Ask an administrator to check it."
    )


_FAILURES: dict[str, type[DocumentError]] = {
    error.code: error
    for error in (
        FileTooLarge,
        FileEmpty,
        TypeUnsupported,
        TypeMistaken,
        FileEncrypted,
        FileDamaged,
        TextMissing,
        ContentTooLarge,
        ReadingTooCostly,
        ReadingInterrupted,
        ReadingStopped,
        PicturesUnreadable,
        SpeechUnreadable,
        UrlRefused,
        UrlUnreachable,
        EmbeddingsUnusable,
    )
}


def error_for(code: str) -> DocumentError:
    """The error a code from `documents.extraction` stands for; an unknown code is a damaged file."""
    return _FAILURES.get(code, FileDamaged)()


def failure_message(code: str) -> str | None:
    """The sentence for a failed document's code in the language of the moment, None for no code."""
    if not code:
        return None
    return str(_FAILURES.get(code, DocumentError).user_message)
