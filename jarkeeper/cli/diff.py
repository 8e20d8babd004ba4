"""`jarkeeper diff`: in what two generations differ, without a value of theirs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import (
    Invocation,
    common_options,
    generation_argument,
    jar_option,
    pass_invocation,
)
from jarkeeper.cli.output import Output, Styled, print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.words import count_of, date_of

if TYPE_CHECKING:
    from jarkeeper.vault import CookieOutline

HEADINGS = ("cookie", "changed", "expires", "domain")
ADDED, REMOVED = "added", "removed"
STYLES = {ADDED: "good", REMOVED: "bad"}


@click.command(
    "diff",
    epilog="\b\nExamples:\n"
    "  jarkeeper diff\n"
    "  jarkeeper diff 1f0c2a9b active\n"
    "  jarkeeper diff 1f0c2a 77be01 --jar music --json\n\n"
    "A and B are ids of `jarkeeper history`, their first six digits or more, or `active` and "
    "`backup`. Both are opened, which goes on record and counts as two of the jar's opens of this "
    "hour. Values are compared and never shown. Exit code 0, different or not.",
)
@generation_argument("a", metavar="[A]", default="backup")
@generation_argument("b", metavar="[B]", default="active")
@jar_option(words="The jar that they are of.", default=DEFAULT_JAR)
@common_options
@pass_invocation
def command(invocation: Invocation, a: str, b: str, jar: str) -> Exit:
    """Show which cookies differ between two generations.

    From A, the newest backup, to B, the active one, unless others are named.
    """
    from jarkeeper.cli.generations import history_of
    from jarkeeper.hardening import harden
    from jarkeeper.wiring import open_vault

    harden()
    vault = open_vault(invocation.settings())
    history = history_of(vault, jar)
    old, new = history.find(a), history.find(b)
    before, after = vault.outline(jar, old.id), vault.outline(jar, new.id)
    found = differences(before, after)
    same = len(after) - sum(item.what != REMOVED for item in found)
    if invocation.as_json:
        document = {"jar": jar, "from": old.id, "to": new.id, "same": same}
        print_json(document | {"cookies": [item.as_dict() for item in found]})
        return Exit.OK
    output = Output()
    output.entry("from", old.id[:8], (f"  {history.place_of(old)}, {old.source}", "quiet"))
    output.entry("to", new.id[:8], (f"  {history.place_of(new)}, {new.source}", "quiet"))
    if found:
        rows = [item.row(is_narrow=output.is_narrow) for item in found]
        output.table(HEADINGS[: len(rows[0])], rows)
    verb = "differs" if len(found) == 1 else "differ"
    output.line((f"{count_of(len(found), 'cookie')} {verb}, {same} the same", "strong"))
    return Exit.OK


@dataclass(frozen=True, slots=True)
class Difference:
    """A cookie that is in one generation alone, or not the same in both."""

    before: CookieOutline | None
    after: CookieOutline | None

    @property
    def one(self) -> CookieOutline:
        """The cookie, from where there is one."""
        one = self.after or self.before
        assert one is not None  # noqa: S101 - it is in one of the two
        return one

    @property
    def what(self) -> str:
        """`added`, `removed`, or what changed: `value`, `expiry`, `secure`."""
        if self.before is None:
            return ADDED
        if self.after is None:
            return REMOVED
        changes = {
            "value": self.before.value_digest != self.after.value_digest,
            "expiry": self.before.expires != self.after.expires,
            "secure": self.before.secure != self.after.secure,
        }
        return ", ".join(name for name, changed in changes.items() if changed)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON; digests of values are left out too."""
        gone = self.what in (ADDED, REMOVED)
        return {
            "name": self.one.name,
            "domain": self.one.domain,
            "path": self.one.path,
            "difference": self.what if gone else "changed",
            "changed": [] if gone else self.what.split(", "),
            "expires_before": None if self.before is None else self.before.expires,
            "expires_after": None if self.after is None else self.after.expires,
        }

    def row(self, *, is_narrow: bool) -> tuple[Styled, ...]:
        """Return it as a row under `HEADINGS`; without the domain where there is no room."""
        days = list(dict.fromkeys(_day(one) for one in (self.before, self.after) if one))
        what = (self.what, STYLES.get(self.what, "warn"))
        if is_narrow:
            return self.one.name, what, days[-1]
        place = self.one.domain + ("" if self.one.path == "/" else self.one.path)
        return self.one.name, what, " → ".join(days), place


def differences(
    before: Iterable[CookieOutline], after: Iterable[CookieOutline]
) -> list[Difference]:
    """Return what is not the same in both, by domain, path and name."""
    old = {item.identity: item for item in before}
    new = {item.identity: item for item in after}
    pairs = (Difference(old.get(place), new.get(place)) for place in sorted(old | new))
    return [pair for pair in pairs if pair.before != pair.after]


def _day(cookie: CookieOutline) -> str:
    return date_of(cookie.expires) if cookie.expires else "session"
