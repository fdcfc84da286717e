"""`manage.py model_server`: the embedded model server, in this process but without Django."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Serve the embedded embedding model on loopback, OpenAI-compatible."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, required=True)
        parser.add_argument("--data-dir", type=Path, default=settings.DATA_DIR)

    def handle(self, *args: Any, **options: Any) -> None:
        # The same process id, so that a supervisor's signals arrive, and 90 MB of Django less.
        module = [sys.executable, "-m", "inference.model_server"]
        arguments = ["--port", str(options["port"]), "--data-dir", str(options["data_dir"])]
        os.execv(sys.executable, [*module, *arguments])  # noqa: S606 - our own interpreter and module, no shell
