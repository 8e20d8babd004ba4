"""The group of commands: finds each by name, and turns what it raised into words and a code."""

from __future__ import annotations

import importlib
import io
import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import click

from jarkeeper import __version__
from jarkeeper.cli import suggestions
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.failures import mute_output, report
from jarkeeper.cli.inputs import VaultPlace
from jarkeeper.cli.place import Place
from jarkeeper.errors import InputError
from jarkeeper.settings import Settings
from jarkeeper.words import printable

COMMANDS = {
    "init": "init",
    "import": "import_",
    "status": "status",
    "validate": "validate",
    "refresh": "refresh",
    "rotate": "rotate",
    "promote": "promote",
    "replace": "replace",
    "download": "download",
    "history": "history",
    "diff": "diff",
    "restore": "restore",
    "revoke": "revoke",
    "usage": "usage",
    "check": "check",
    "doctor": "doctor",
    "health": "health",
    "incidents": "incidents",
    "alerts": "alerts",
    "audit": "audit",
    "report": "report",
    "backup": "backup",
    "recover": "recover",
    "drill": "drill",
    "cleanup": "cleanup",
    "rewrap": "rewrap",
    "schedule": "schedule",
    "settings": "settings",
    "blocks": "blocks",
    "completion": "completion",
}
"""Command → module, in the order in which a newcomer meets them."""


@dataclass
class Invocation(Place):
    """What holds for any command: which vault and jar, and whether a machine reads the answer."""

    as_json: bool = False

    def settings(self) -> Settings:
        """Return the settings in force, with the vault of the command line in place of theirs."""
        settings = Settings.read()
        say_more(settings.log_level)
        if settings.metrics:
            from jarkeeper.metrics.emf import keep_standard_output_free

            keep_standard_output_free()
        return settings if self.vault is None else settings.at(self.vault)


def say_more(level: str) -> None:
    """Have our own log lines on standard error from this level on; other libraries' stay away."""
    log = logging.getLogger("jarkeeper")
    log.setLevel(level.upper())
    log.handlers = [logging.StreamHandler()]


pass_invocation = click.make_pass_decorator(Invocation, ensure=True)


class Commands(click.Group):
    """A group that imports a command's module when the command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command of that name; one that nobody knows is told with its like."""
        if cmd_name.startswith("-"):
            return None
        if cmd_name not in COMMANDS:
            raise unknown_command(cmd_name)
        module = importlib.import_module(f"jarkeeper.cli.{COMMANDS[cmd_name]}")
        command: click.Command = module.command
        return command

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        """Return the context of a command line; `--help` and `--version` are printed here."""
        with _ended_by_its_reader():
            return super().make_context(*args, **options)

    def invoke(self, ctx: click.Context) -> int:
        """Run the command and return its exit code."""
        with _ended_by_its_reader():
            code = super().invoke(ctx)
            sys.stdout.flush()
        return int(code or Exit.OK)


@contextmanager
def _ended_by_its_reader() -> Iterator[None]:
    """End quietly where the reader of the output went away: that is no error."""
    try:
        yield
    except BrokenPipeError:
        mute_output()
        raise click.exceptions.Exit(Exit.PIPE_CLOSED) from None


def unknown_command(name: str) -> InputError:
    """Return the error for a name that is no command."""
    from difflib import get_close_matches

    like = get_close_matches(name, COMMANDS, n=1)
    meant = f"did you mean `jarkeeper {like[0]}`? " if like else ""
    return InputError(
        f"'{printable(name[:40])}': no such command", hint=f"{meant}`jarkeeper --help` lists all"
    )


def note(ctx: click.Context, parameter: click.Parameter, value: Any) -> Any:
    """Keep an option in the invocation; one that was not given changes nothing."""
    if value:
        setattr(ctx.ensure_object(Invocation), str(parameter.name), value)
    return value


def jar_option(*, words: str, default: str | None = None) -> Callable[..., Any]:
    """Return the option `--jar`, which the next steps that are told will carry."""
    return click.option(
        "--jar",
        metavar="NAME",
        default=default,
        show_default=default is not None,
        help=words,
        callback=note,
        shell_complete=suggestions.suggest_jars,
    )


def generation_argument(name: str, **options: Any) -> Callable[..., Any]:
    """Return an argument that names a generation."""
    return click.argument(name, shell_complete=suggestions.suggest_generations, **options)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`, which works before and after the command's name."""
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        help="Print one JSON document.",
        expose_value=False,
        callback=note,
    )(function)


def common_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--vault` and `--json`, which work before and after the command's name."""
    vault = click.option(
        "--vault",
        type=VaultPlace(),
        metavar="PLACE",
        help="The vault: a directory, or s3://bucket/prefix.",
        expose_value=False,
        callback=note,
    )
    return vault(json_option(function))


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="\b\nFirst steps:\n"
    "  jarkeeper init                    make a vault and its key\n"
    "  jarkeeper import cookies.txt      seal your cookies in it\n"
    "  jarkeeper download URL            fetch a video with them\n\n"
    "Exit codes: 0 fine, 1 videos failed or something critical found, 2 wrong usage or input, "
    "3 the vault cannot be used, 4 the run was stopped, 5 videos wait for fresh cookies, 130 "
    "interrupted.",
)
@click.version_option(__version__, message="jarkeeper %(version)s")
@common_options
def cli() -> None:
    """Keep the cookies that yt-dlp needs sealed, versioned and audited, and download with them."""


def run(args: Sequence[str]) -> int:
    """Run one command line and return its exit code; whatever goes wrong is told, not raised."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that knows fewer letters than a video's title is no reason to fail.
            stream.reconfigure(errors="backslashreplace")
    invocation = Invocation()
    try:
        # Without a word, what could be said is the answer.
        code = cli.main(
            list(args) or ["--help"],
            prog_name="jarkeeper",
            standalone_mode=False,
            obj=invocation,
        )
    except Exception as error:  # noqa: BLE001 - the outermost place: what is not told here is lost
        if suggestions.VARIABLE in os.environ:
            return Exit.OK  # somebody presses Tab: no error is worth breaking their line
        return report(error, as_json="--json" in args, place=invocation)
    return int(code)
