"""`jarkeeper report`: what happened to the cookies, as a page, a document, or tables."""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.errors import InputError
from jarkeeper.since import parse_since

if TYPE_CHECKING:
    from jarkeeper.analysis.figures import State
    from jarkeeper.report.content import Content
    from jarkeeper.settings import Settings

FIGURE_STYLES = {True: "good", False: "bad", None: "quiet"}


@click.command(
    "report",
    epilog="\b\nExamples:\n"
    "  jarkeeper report --open\n"
    "  jarkeeper report --since 7d --out reports/\n"
    "  jarkeeper report --since 2026-10-01 --until 2026-11-01 --out october.html\n"
    "  jarkeeper report --csv numbers/\n"
    "  jarkeeper report --json | jq '.figures[] | {name, value, state}'\n\n"
    "The page is one file that needs no network. With --json or --csv there is none, unless --out "
    "names it. Times are in UTC. Exit code 3 if the audit trail is not what was written.",
)
@click.option(
    "--since",
    metavar="WHEN",
    default="30d",
    show_default=True,
    help="A span such as 12h or 7d, or a date (UTC).",
)
@click.option(
    "--until", metavar="WHEN", help="As --since, no later than now; what happened then is left out."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="PLACE",
    help="The file or folder for the page; without it, a file in the current folder, or with "
    "--open one that the next look writes over.",
)
@click.option(
    "--csv",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Write the numbers as CSV files.",
)
@click.option("--open", "shows", is_flag=True, help="Open the page in the browser.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@common_options
@pass_invocation
def command(
    invocation: Invocation,
    since: str,
    until: str | None,
    out: Path | None,
    csv: Path | None,
    *,
    shows: bool,
    force: bool,
) -> Exit:
    """Show how it went: key figures, failures, incidents, integrity."""
    from jarkeeper.report.exports import as_csv, document
    from jarkeeper.report.page import page
    from jarkeeper.report.writing import name_of, place_of, write_files

    settings = invocation.settings()
    content = _gathered(settings, since, until)
    if shows and out is None:
        # To look at, not to keep: the next look may write over it.
        out, force = settings.state_dir / "report.html", True
    wants_page = out is not None or shows or not (csv or invocation.as_json)
    place = place_of(out, f"{name_of(content)}.html") if wants_page else None
    texts = {csv / name: text for name, text in as_csv(content).items()} if csv else {}
    if place in texts:
        raise InputError(f"'{place}': is a file of the numbers too", hint="name another for --out")
    if place is not None:
        with Output(aside=True).busy("drawing the page"):
            texts[place] = page(content)
    write_files(texts, overwrite=force)
    if invocation.as_json:
        print_json(document(content))
    else:
        _print(Output(), content, place, csv)
    if shows and place is not None:
        _open(place)
    return Exit.OK if content.integrity.is_intact else Exit.VAULT


def named(name: str) -> click.Command:
    """Return the same command for a place where it is called by another name, as its help says."""
    other = copy(command)
    other.epilog = (command.epilog or "").replace("jarkeeper report", f"jarkeeper {name}")
    return other


def _gathered(settings: Settings, since: str, until: str | None) -> Content:
    """Return what there is to report, or raise `InputError` for a span that holds no time."""
    from jarkeeper.report.gathering import gather
    from jarkeeper.wiring import open_vault

    now = datetime.now(UTC)
    start = parse_since(since, now=now)
    end = now if until is None else parse_since(until, now=now, option="--until")
    if not start < end:
        which = "--since: expected a moment that has passed"
        raise InputError(which if until is None else "--until: expected a moment after --since")
    if end > now:
        raise InputError(
            "--until: expected a moment that has passed",
            hint="leave it out: the report ends now",
        )
    vault = open_vault(settings)
    with Output(aside=True).busy("reading and verifying the audit trail"):
        return gather(vault, settings, since=start, until=end, now=now)


def _print(output: Output, content: Content, place: Path | None, csv: Path | None) -> None:
    from jarkeeper.report.headline import judge
    from jarkeeper.report.parts import reach_note
    from jarkeeper.report.readings import figure_text, target_text

    headline = judge(content)
    output.line((headline.sentence, "strong"))
    if note := reach_note(content):
        output.line((f"   {note}", "quiet"))
    for point in headline.points:
        output.finding(point.severity, point.what, point.step)
    if headline.more:
        output.line((f"   and {headline.more} more", "quiet"))
    output.table(
        ("key figure", "value", "target", ""),
        [
            (
                figure.name,
                figure_text(figure),
                target_text(figure),
                _styled(content.state_of(figure)),
            )
            for figure in content.figures
        ],
    )
    for label, written in (("page", place), ("numbers", csv)):
        if written is not None:
            output.entry(label, str(written))


def _styled(state: State) -> Styled:
    return state.value, FIGURE_STYLES[state.is_met]


def _open(place: Path) -> None:
    import webbrowser

    if not webbrowser.open(place.absolute().as_uri()):
        Output(aside=True).line(f"no browser could be opened here; the page is {place}")
