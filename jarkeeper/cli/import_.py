"""`jarkeeper import`: seal a browser's cookies in the vault."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.inputs import read_cookies
from jarkeeper.cli.output import Output, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.errors import ConfirmationNeeded, InputError

if TYPE_CHECKING:
    from jarkeeper.facts import Probed
    from jarkeeper.heads import Head
    from jarkeeper.jar import ParsedJar
    from jarkeeper.settings import Settings
    from jarkeeper.vault import ImportReceipt, Vault

ONE_SOURCE = "name a file, '-' for standard input, or a browser with `--from-browser firefox`"


@click.command(
    "import",
    epilog="\b\nExamples:\n"
    "  jarkeeper import cookies.txt\n"
    "  jarkeeper import --probe cookies.json\n"
    "  some-exporter | jarkeeper import -\n"
    "  jarkeeper import --from-browser firefox\n"
    "  jarkeeper import --jar second-login other.txt\n\n"
    "An export lasts longest from a private window: log in, open youtube.com/robots.txt as "
    "the only tab, export, close the window and never use that session again. A browser that "
    "goes on using the login makes the copy useless soon, so `--from-browser` is for trying "
    "things out. Afterwards delete the exported file: the vault has it, sealed. Exit code 1 if "
    "what is active then is critical or the probe got no answer, 2 if there was a mistake or a "
    "doubt; then nothing was changed.",
)
@click.argument(
    "file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="[FILE]",
    required=False,
)
@click.option(
    "--from-browser",
    metavar="BROWSER[+KEYRING][:PROFILE][::CONTAINER]",
    help="Read a browser's own cookies instead of FILE, as yt-dlp does.",
)
@click.option(
    "--probe", is_flag=True, help="Ask YouTube first whether they work, and whose login it is."
)
@click.option(
    "-y",
    "--yes",
    is_flag=True,
    help="Take them in even if they are no login, older, or another account's.",
)
@jar_option(words="The jar that takes them.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(
    invocation: Invocation,
    file: Path | None,
    from_browser: str | None,
    jar: str,
    *,
    probe: bool,
    yes: bool,
) -> Exit:
    """Seal exported cookies as the active ones.

    FILE is a Netscape cookie file, the JSON of a browser extension, or a `Cookie:` header; '-' is
    standard input. The cookies that were active become the backup. Where that may be a mistake,
    you are asked first.
    """
    from jarkeeper.cli import taken_in
    from jarkeeper.cli.watched import cured
    from jarkeeper.hardening import harden
    from jarkeeper.health import examine
    from jarkeeper.wiring import open_vault

    harden()
    settings = invocation.settings()
    vault = open_vault(settings)
    parsed = _read(file, from_browser, settings)
    probed = _probe(parsed, settings) if probe else None
    before = vault.status(jar)
    arrival = Arrival(vault, jar, parsed, probed)
    receipt = arrival.take_in(confirmed=yes, may_ask=not invocation.as_json)
    if receipt is None:
        return Exit.USAGE
    changed = before is None or before.seq != receipt.head_seq
    head = vault.status(jar)
    assert head is not None, "a jar that was imported has a head"  # noqa: S101
    slots = examine(head, now=datetime.now(UTC), settings=settings)
    told = taken_in.TakenIn(
        receipt, parsed, probed, slots, changed=changed, same_account=_same_account(before, receipt)
    )
    if invocation.as_json:
        print_json(told.as_dict())
    else:
        told.print(file)
    if changed and not told.is_critical:
        cured(settings, vault, jar)
    return Exit.FAILED if told.is_critical else Exit.OK


def _same_account(before: Head | None, receipt: ImportReceipt) -> bool | None:
    old = "" if before is None or before.active is None else before.active.generation.facts.account
    return receipt.facts.account == old if old and receipt.facts.account else None


@dataclass(frozen=True, slots=True)
class Arrival:
    """What was read and, perhaps, asked about; not in the vault yet."""

    vault: Vault
    jar: str
    parsed: ParsedJar
    probed: Probed | None

    def take_in(self, *, confirmed: bool, may_ask: bool) -> ImportReceipt | None:
        """Import it; None where a person was asked and said no."""
        try:
            return self.vault.import_jar(
                self.jar, self.parsed, confirmed=confirmed, probed=self.probed
            )
        except ConfirmationNeeded as error:
            if not (may_ask and sys.stdin.isatty()):
                raise
            doubts = error.sentences
        if not _says_yes(doubts):
            return None
        return self.take_in(confirmed=True, may_ask=False)


def _says_yes(doubts: tuple[str, ...]) -> bool:
    output = Output(aside=True)
    for doubt in doubts:
        output.finding("warning", doubt)
    if click.confirm("Take them in all the same?", err=True):
        return True
    output.line("nothing was changed")
    return False


def _read(file: Path | None, browser: str | None, settings: Settings) -> ParsedJar:
    if (file is None) == (browser is None):
        got = "neither" if file is None else "both"
        raise InputError(f"import: expected FILE or --from-browser, got {got}", hint=ONE_SOURCE)
    if file is not None:
        return read_cookies(file, sites=settings.sites)
    from jarkeeper.youtube.browser import read_browser

    assert browser is not None  # noqa: S101 - one of the two was given
    return read_browser(browser, settings)


def _probe(parsed: ParsedJar, settings: Settings) -> Probed:
    from jarkeeper.youtube.probe import probe

    with Output(aside=True).busy("asking YouTube whether they work"):
        return probe(parsed.jar, settings)
