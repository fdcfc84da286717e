#!/usr/bin/env python
"""Django's command line for Parlour."""

import os
import sys
import warnings


def main(argv: list[str]) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if argv[1:2] == ["start"]:
        # The supervisor needs no Django, and the first page need not wait two seconds for that to boot.
        from config.stack.command import main as start

        sys.exit(start(argv[2:]))

    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    # `makemigrations` looks at the database only to warn; it works without one.
    warnings.filterwarnings("ignore", "Got an error checking a consistent migration history", RuntimeWarning)
    try:
        execute_from_command_line(argv)
    except OperationalError as error:
        reason = str(error).strip().splitlines()[0]
        sys.exit(f"The database does not answer. Start one with `make run`, or set DATABASE_URL. ({reason})")


if __name__ == "__main__":
    main(sys.argv)
