"""Prints what the real Azure CLI takes: `PYTHON az_grammar.py COMMAND...`, PYTHON being what azure-cli is installed
in and each COMMAND quoted, `'deployment sub create'`.

For each command its arguments as [names, whether it must be given]; null where this CLI does not know the command. An
argument without names is a word that stands by itself.
"""

import json
import sys

from azure.cli.core import get_default_cli


def arguments_of(command: str) -> list[list[object]] | None:
    cli = get_default_cli()
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli,
        parser_cls=cli.parser_cls,
        commands_loader_cls=cli.commands_loader_cls,
        help_cls=cli.help_cls,
    )
    cli.invocation.data["command_string"] = command
    loader = cli.invocation.commands_loader
    found = loader.load_command_table(command.split()).get(command)
    if found is None:
        return None
    loader.command_name = command
    loader.load_arguments(command)
    settings = {name: argument.type.settings for name, argument in found.arguments.items()}
    return sorted(
        [sorted(_names(one)), bool(one.get("required"))]
        for name, one in settings.items()
        if name not in {"cmd", "client"}
    )


def _names(settings: dict[str, object]) -> list[str]:
    names = [getattr(name, "target", name) for name in settings.get("options_list") or ()]
    return [name for name in names if name.startswith("-")]


if __name__ == "__main__":
    json.dump({command: arguments_of(command) for command in sys.argv[1:]}, sys.stdout)
