"""`manage.py import_sillytavern PATH EMAIL`: a SillyTavern data folder, or a ZIP of one, for one person."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import BaseCommand, CommandError

from accounts.errors import ParlourError
from accounts.models import User
from chat.sillytavern.folder import Folder
from chat.sillytavern.importing import Report, import_folder

_KINDS = ("character", "lorebook", "persona", "chat")


class Command(BaseCommand):
    help = "Bring a SillyTavern folder in: characters, lorebooks, personas and chats."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="the folder data/default-user, or a ZIP of it")
        parser.add_argument("email", help="whose they become")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(email=options["email"]).first()
        if person is None:
            raise CommandError(f"Nobody here signs in with {options['email']}.")
        if not options["path"].exists():
            raise CommandError(f"There is nothing at {options['path']}.")
        try:
            folder = Folder(options["path"])
            report = import_folder(actor=person, folder=folder)
        except ParlourError as error:
            raise CommandError(str(error.user_message)) from error
        folder.close()
        self._show(report)

    def _show(self, report: Report) -> None:
        for kind in _KINDS:
            counts = {state: report.count(kind, state) for state in ("in", "here", "out")}  # type: ignore[arg-type]
            self.stdout.write(
                f"{kind + 's':<12} {counts['in']} came in, {counts['here']} were here, {counts['out']} stayed out"
            )
        for line in report.lines:
            if line.state == "out" or line.note:
                self.stdout.write(f"  {line.kind} {line.name}: {line.note}")
