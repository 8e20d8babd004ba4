"""`jarkeeper alerts`: who is told of incidents."""

from __future__ import annotations

import click

from jarkeeper.cli.automations import install


@click.group("alerts", no_args_is_help=False)
def command() -> None:
    """Show and test who is told of incidents."""


command.add_command(install)
