"""`jarkeeper usage`: what the cookies were used for, counted from the audit trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.limits import LIMITS
from jarkeeper.since import parse_since

if TYPE_CHECKING:
    from jarkeeper.audit import Event
    from jarkeeper.audit.usage import Usage
    from jarkeeper.vault import Vault

COLUMNS = ("opens", "videos", "success", "cookie failures")
COUNTED = ("opens", "videos", "succeeded", "cookie_failures")
HOUR = timedelta(hours=1)
TOTAL = "total"
NEARLY_SPENT = 0.8


@click.command(
    "usage",
    epilog="\b\nExamples:\n"
    "  jarkeeper usage\n"
    "  jarkeeper usage --since 7d --by jar\n"
    "  jarkeeper usage --since 2026-01-01 --by flow --json\n\n"
    "Days are in UTC. A video that was tried with other cookies too counts with both. The budget: "
    "opens by COOKIE_OPENS_PER_HOUR, videos by what YouTube grants an account in an hour.",
)
@jar_option(words="This jar only.")
@click.option(
    "--since",
    metavar="WHEN",
    default="30d",
    show_default=True,
    help="A span such as 12h or 7d, or a date (UTC).",
)
@click.option(
    "--by",
    type=click.Choice(["day", "jar", "flow"]),
    default="day",
    show_default=True,
    help="What makes a row; flow is the program that used the cookies.",
)
@common_options
@pass_invocation
def command(invocation: Invocation, jar: str | None, since: str, by: str) -> Exit:
    """Show how much the cookies were used, and how well it went."""
    from jarkeeper.audit.usage import usage_by_day
    from jarkeeper.health import heads_of
    from jarkeeper.wiring import open_vault

    now = datetime.now(UTC)
    start = parse_since(since, now=now)
    vault = open_vault(invocation.settings())
    jars = [head.jar for head in heads_of(vault, jar)]
    recent = Recent(hour_ago=now - HOUR)
    with Output(aside=True).busy("reading the audit trail"):
        events = vault.trail.read(min(start, now - HOUR))
        mine = (event for event in events if jar in (None, event.jar))
        days = usage_by_day(recent.seen(mine, since=start))
    rows = summed(days, by=by)
    budgets = [_budget(vault, name, recent) for name in jars]
    if invocation.as_json:
        print_json(
            {
                "since": start,
                "by": by,
                "rows": [{by: name, **row.as_dict()} for name, row in rows.items()],
                "total": sum_of(days).as_dict(),
                "budget": [asdict(budget) for budget in budgets],
            }
        )
    else:
        _print(Output(), rows, budgets, by=by, total=sum_of(days))
    return Exit.OK


@dataclass(frozen=True, slots=True)
class Sum:
    """Usage added up."""

    opens: int
    videos: int
    succeeded: int
    cookie_failures: int
    failures: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        rate = self.succeeded / self.videos if self.videos else None
        return asdict(self) | {"success_rate": rate}

    def cells(self) -> tuple[Styled, ...]:
        """Return it as cells under `COLUMNS`."""
        from jarkeeper.report.readings import SPACE, percent

        share = percent(100 * self.succeeded / self.videos) if self.videos else "-"
        rate = share.replace(SPACE, " ")  # a terminal's table breaks no line, and `grep` finds it
        bad = str(self.cookie_failures)
        failures: Styled = (bad, "bad") if self.cookie_failures else bad
        return str(self.opens), str(self.videos), rate, failures


@dataclass(slots=True)
class Recent:
    """Videos of the last hour by jar, counted while the events pass by."""

    hour_ago: datetime
    videos: Counter[str] = field(default_factory=Counter)

    def seen(self, events: Iterable[Event], *, since: datetime) -> Iterator[Event]:
        """Give the events since that moment; those of the last hour are counted."""
        from jarkeeper.audit.usage import is_use

        for event in events:
            if event.at >= self.hour_ago and is_use(event):
                self.videos[event.jar] += sum(event.counts.values())
            if event.at >= since:
                yield event


@dataclass(frozen=True, slots=True)
class Budget:
    """What a jar has used of what it may use in an hour."""

    jar: str
    opens: int
    opens_per_hour: int
    videos: int
    videos_per_hour: int

    def parts(self) -> tuple[Styled, ...]:
        """Return it in words."""
        return (
            f"{self.jar}: ",
            _share(self.opens, self.opens_per_hour, "opens in this hour"),
            ", ",
            _share(self.videos, self.videos_per_hour, "videos in 60 min"),
        )


def summed(days: Iterable[Usage], *, by: str) -> dict[str, Sum]:
    """Return the usage of each day, jar or flow, in order."""
    groups: dict[str, list[Usage]] = {}
    for item in days:
        groups.setdefault(str(getattr(item, by)), []).append(item)
    return {name: sum_of(groups[name]) for name in sorted(groups)}


def sum_of(items: Iterable[Usage]) -> Sum:
    """Return the usages added up."""
    counts: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    for item in items:
        counts.update({name: getattr(item, name) for name in COUNTED})
        failures.update(item.failures)
    return Sum(failures=dict(sorted(failures.items())), **{name: counts[name] for name in COUNTED})


def _budget(vault: Vault, jar: str, recent: Recent) -> Budget:
    opens = vault.opens(jar)
    return Budget(
        jar=jar,
        opens=opens.this_hour,
        opens_per_hour=opens.per_hour,
        videos=recent.videos[jar],
        videos_per_hour=LIMITS.account_videos_per_hour,
    )


def _print(
    output: Output, rows: dict[str, Sum], budgets: list[Budget], *, by: str, total: Sum
) -> None:
    if rows:
        table = [(name, *row.cells()) for name, row in rows.items()]
        if len(rows) > 1:
            table.append(((TOTAL, "strong"), *total.cells()))
        output.table((by, *COLUMNS), table)
    else:
        Output(aside=True).line("nothing is on record for that")
    for number, budget in enumerate(budgets):
        output.entry("" if number else "budget", *budget.parts())


def _share(used: int, granted: int, what: str) -> Styled:
    text = f"{used:,} of {granted:,} {what}"
    return (text, "warn") if used >= NEARLY_SPENT * granted else text
