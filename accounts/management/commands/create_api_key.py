"""`manage.py create_api_key EMAIL [--create-user]`: a new API key, alone on standard output, shown once."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email
from django.db import OperationalError

from accounts.errors import ParlourError
from accounts.models import User
from accounts.services import create_api_key, find_or_create_user


class Command(BaseCommand):
    help = "Make an API key for somebody and print it. It cannot be shown again."
    # Scripts call this in loops; the checks would load every page and cost more than the key.
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="whose key it is")
        parser.add_argument("--create-user", action="store_true", help="make the user if there is none")
        parser.add_argument("--name", default="Command line", help="what the key is called in the settings")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = self._find_user(options["email"], may_create=options["create_user"])
            _, key = create_api_key(actor=user, name=options["name"])
        except ParlourError as error:
            raise CommandError(str(error.user_message)) from error
        except OperationalError as error:
            raise CommandError(
                "The database does not answer. Start Parlour first (`make run`), or set DATABASE_URL."
            ) from error
        self.stdout.write(key)

    def _find_user(self, email: str, *, may_create: bool) -> User:
        if may_create:
            try:
                validate_email(email)
            except ValidationError as error:
                raise CommandError(f"{email!r} is not an email address.") from error
            user = find_or_create_user(email=email)
        else:
            found = User.objects.filter(email=email).first()
            if found is None:
                raise CommandError(
                    f"Nobody here has the address {email}. Add --create-user to make the user."
                )
            user = found
        if not user.is_active:
            raise CommandError(f"{email} may not sign in, so a key would not work.")
        return user
