"""`manage.py start`, as Django's list of commands knows it; `manage.py` itself takes the shorter way."""

import sys

from django.core.management.base import BaseCommand

from config.stack.command import SUMMARY, main


class Command(BaseCommand):
    help = SUMMARY
    requires_system_checks = []

    def handle(self, *args: object, **options: object) -> None:
        sys.exit(main([]))
