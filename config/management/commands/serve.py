"""`manage.py serve`: the web process."""

import os
import sys
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connections


class Command(BaseCommand):
    help = "Serve pages, sockets and the API, and run the replies that are started here."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0: all)")
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument(
            "--grace-seconds", type=float, default=20, help="for running replies and requests after SIGTERM"
        )
        parser.add_argument(
            "--prepare", action="store_true", help="run `prepare` first; one boot of Django less on a laptop"
        )

    def handle(
        self, *args: object, host: str, port: int, grace_seconds: float, prepare: bool, **options: object
    ) -> None:
        # Here and not in the settings: only this process has many threads that each need a connection for
        # a moment, and a pool does not survive the fork by which Celery's worker makes its children.
        connections.settings["default"]["OPTIONS"]["pool"] = settings.DATABASE_POOL
        preparing = os.fork() if prepare else None
        if preparing == 0:
            # In a process of its own: what migrations leave in memory, 40 MB, would be the web process's for good.
            call_command("prepare")
            return
        from config.server import WebServer  # installs Twisted's reactor

        server = WebServer(
            host=host, port=port, is_behind_proxy=settings.IS_HTTPS, grace_seconds=grace_seconds
        )
        if preparing and os.waitpid(preparing, 0)[1]:
            sys.exit(1)
        server.run()
        if server.has_failed:
            sys.exit(1)
