"""The page of all commands, from the words of their own `--help`."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

import click

from jarkeeper.cli.group import cli

PAGE = """# The command line

`jarkeeper COMMAND --help` says the same. `--vault` and `--json` work before and after the
command's name; with `--json`, standard output holds one document and nothing else. What the exit
codes mean stands in [exit-codes.md](exit-codes.md), what the settings are in
[settings.md](settings.md).

{contents}

{commands}
"""


def cli_page() -> str:
    """Return the page: for each command usage, what it does, options, examples."""
    contexts = list(_commands(click.Context(cli, info_name="jarkeeper")))
    names = [context.command_path.removeprefix("jarkeeper ") for context in contexts]
    contents = "\n".join(
        f"- [{name}](#{name.replace(' ', '-')}): {context.command.get_short_help_str(100)}"
        for name, context in zip(names, contexts, strict=True)
    )
    parts = map(_command, names, contexts)
    return PAGE.format(contents=contents, commands="\n\n".join(parts))


def _commands(parent: click.Context) -> Iterator[click.Context]:
    """Give every command below the group, in the order in which they are listed."""
    group = parent.command
    assert isinstance(group, click.Group)  # noqa: S101 - its callers looked
    for name in group.list_commands(parent):
        command = group.get_command(parent, name)
        assert command is not None  # noqa: S101 - the group has just named it
        context = click.Context(command, info_name=name, parent=parent, **command.context_settings)
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield context
            yield from _commands(context)
        else:
            yield context


def _command(name: str, context: click.Context) -> str:
    command = context.command
    usage = command.get_usage(context).removeprefix("Usage: ")
    options = [
        f"- `{record[0]}`: {' '.join(record[1].split())}"
        for parameter in command.get_params(context)
        if (record := parameter.get_help_record(context)) and record[1] and not _is_help(parameter)
    ]
    examples, _, notes = _epilog(command).partition("\n\n")
    blocks = (
        f"## {name}",
        "\n\n".join(_paragraphs(command.help or "")),
        f"```\n{' '.join(usage.split())}\n```",
        "\n".join(options),
        f"```\n{examples}\n```",
        "\n\n".join(_paragraphs(notes)),
    )
    return "\n\n".join(block for block in blocks if block)


def _is_help(parameter: click.Parameter) -> bool:
    return "--help" in parameter.opts


def _epilog(command: click.Command) -> str:
    lines = (command.epilog or "").removeprefix("\b\nExamples:\n").split("\n")
    return "\n".join(line.removeprefix("  ") for line in lines)


def _paragraphs(text: str) -> list[str]:
    return [fill(" ".join(part.split()), 100) for part in text.split("\n\n") if part.strip()]
