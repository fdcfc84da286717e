"""`manage.py start`: the local stack in the foreground. Everything it can be told is in the environment."""

import argparse
import asyncio
import sys
from collections.abc import Sequence

from config.stack.console import Console
from config.stack.errors import StackError
from config.stack.plan import read_settings
from config.stack.supervisor import Supervisor

SUMMARY = "Run Parlour here: PostgreSQL, Redis, the model server, web, worker and beat, until Ctrl-C."


def main(arguments: Sequence[str]) -> int:
    """Run the stack; the exit status, after one sentence on the standard error if it could not run."""
    argparse.ArgumentParser(prog="manage.py start", description=SUMMARY).parse_args(arguments)
    try:
        asyncio.run(Supervisor(read_settings(), Console()).run())
    except StackError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    except PermissionError as error:
        print(  # noqa: T201
            f"{error.filename} belongs to another user. Start as that user, or name another DATA_DIR.",
            file=sys.stderr,
        )
        return 1
    except OSError as error:
        print(f"The local stack cannot go on: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0
