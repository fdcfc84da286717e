"""`manage.py prepare`: bring the schema up to date and lay out what a fresh house needs. Safe to run again."""

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.core.management.base import BaseCommand

from characters.services import seed_cast
from inference.services import register_configured_servers


class Command(BaseCommand):
    help = "Migrate the database, make the blob container, register the configured servers, seat the cast."
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        # Above verbosity 0 it also compares all models with all migrations, which is `make lint`'s business.
        call_command("migrate", interactive=False, skip_checks=True, verbosity=0)
        make_blob_container()
        register_configured_servers()
        seed_cast()


def make_blob_container() -> None:
    """Make the place where uploads and avatars go, unless it is there."""
    if settings.AZURE_STORAGE_ACCOUNT or settings.AZURE_STORAGE_CONNECTION_STRING:
        container = default_storage.client  # type: ignore[attr-defined]
        if not container.exists():
            container.create_container()
    else:
        settings.MEDIA_ROOT.mkdir(mode=0o700, parents=True, exist_ok=True)
