"""`jarkeeper settings`: what is in force, and where it came from."""

from __future__ import annotations

from dataclasses import asdict

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.settings import Origin, origins

HEADINGS = ("variable", "value", "from")
SOURCE_STYLES = {"default": "quiet", "environment": "good", "command line": "warn"}


@click.command(
    "settings",
    epilog="\b\nExamples:\n"
    "  jarkeeper settings\n"
    "  jarkeeper settings --set\n"
    "  jarkeeper settings --json | jq '.settings[] | select(.source != \"default\")'\n\n"
    "Secrets are shown as set or not set, never as they are. docs/reference/settings.md tells "
    "what each variable means and accepts. Mistakes are all reported at once, with exit code 2.",
)
@click.option("--set", "only_set", is_flag=True, help="Only what is not a default.")
@common_options
@pass_invocation
def command(invocation: Invocation, *, only_set: bool) -> Exit:
    """Show the settings in force and where each came from."""
    found = [
        item for item in origins(invocation.settings()) if not only_set or item.source != "default"
    ]
    if invocation.as_json:
        print_json({"settings": [asdict(item) for item in found]})
        return Exit.OK
    if found:
        Output().table(HEADINGS, [_row(item) for item in found])
    else:
        Output(aside=True).line("nothing is set: all of it is default")
    return Exit.OK


def _row(item: Origin) -> tuple[Styled, ...]:
    value: Styled = ("none", "quiet") if item.value is None else item.value
    return (item.variable, value, (item.source, SOURCE_STYLES[item.source]))
