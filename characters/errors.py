"""What can go wrong with characters.

ParlourError
└── CharacterError
    ├── CharacterNotFound    absent, or not visible to the actor: the same answer
    ├── CharacterNotAllowed  the actor may see it but not do this
    ├── CharacterInvalid     a field breaks a rule; the message names it
    ├── PictureRefused       the upload is no picture we can keep
    ├── CardRefused          the upload is no character card, or one that cannot be kept whole
    ├── LorebookNotFound     absent, or somebody else's
    ├── LorebookRefused      no lorebook, or one with more than can be kept
    └── PersonaNotFound      absent, or somebody else's
"""

from django.utils.translation import gettext_lazy as _

from accounts.errors import ParlourError


class CharacterError(ParlourError):
    """Anything wrong with a character or what somebody wants of it."""


class CharacterNotFound(CharacterError):
    code = "character_not_found"
    status = 404
    user_message = _("There is no such character, or it is not yours to see.")


class CharacterNotAllowed(CharacterError):
    code = "character_not_allowed"
    status = 403
    user_message = _("You may not change this character.")


class CharacterInvalid(CharacterError):
    code = "character_invalid"
    status = 422
    user_message = _("That value cannot be used for a character.")


class AssetNotFound(CharacterError):
    code = "asset_not_found"
    status = 404
    user_message = _("There is no such picture, or it is not yours to see.")


class VersionNotFound(CharacterError):
    code = "version_not_found"
    status = 404
    user_message = _("This character has no version of that number.")


class PictureRefused(CharacterError):
    code = "picture_refused"
    status = 422
    user_message = _("That picture cannot be used. Upload a PNG, JPEG or WebP of at most 8 MB.")


class CardRefused(CharacterError):
    code = "card_refused"
    status = 422
    user_message = _(
        "That is no character card. Upload a PNG, JSON or CHARX file that another program exported."
    )


class LorebookNotFound(CharacterError):
    code = "lorebook_not_found"
    status = 404
    user_message = _("There is no such lorebook, or it is not yours.")


class LorebookRefused(CharacterError):
    code = "lorebook_refused"
    status = 422
    user_message = _("That is no lorebook. Upload a JSON file that another program exported.")


class PersonaNotFound(CharacterError):
    code = "persona_not_found"
    status = 404
    user_message = _("There is no such persona, or it is not yours.")
