from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CharactersConfig(AppConfig):
    name = "characters"
    verbose_name = _("Characters")

    def ready(self) -> None:
        """Whoever may talk to a character may read what it answers from."""
        from characters.queries import lent_collections
        from documents.lending import add_lender

        add_lender(lent_collections)
