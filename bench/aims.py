"""What was aimed at, and whether the figures reach it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from measure import Spread
from ways import CORE, FLOW, LIBRARY, YT_DLP

if TYPE_CHECKING:
    from report import Figures, Round

Verdict = tuple[str, str, str]


def aims(figures: Figures) -> Iterator[Verdict]:
    """Yield each aim, the figure that was measured, and whether it is reached."""
    for item in figures.rounds:
        if item.is_large:
            yield from _large(item)
        else:
            yield from _many(item)
    starts = figures.starts
    yield _at_most("first byte of `jarkeeper download`", starts.first_byte[CORE].median, 2.0, "s")
    status = Spread.of([sample.wall for sample in starts.status]).median
    yield _at_most("`jarkeeper status`, cold", status, 0.3, "s")


def _many(item: Round) -> Iterator[Verdict]:
    for has_cookies in item.cookies:
        core, flow, library, command = (
            item.way(name, has_cookies=has_cookies) for name in (CORE, FLOW, LIBRARY, YT_DLP)
        )
        where = f"{item.latency} ms, {'with' if has_cookies else 'without'} cookies"
        if item.latency:
            yield _at_least(
                f"{where}: `{CORE}` over `{YT_DLP}`", 1 / item.ratio(core, command).median
            )
            yield _at_least(
                f"{where}: `{FLOW}` over `{YT_DLP}`", 1 / item.ratio(flow, command).median
            )
        aim = f"{where}: the flow, once it runs, against the bare library"
        yield _at_most(aim, item.ratio(flow, library).median, 1.25, "times")


def _large(item: Round) -> Iterator[Verdict]:
    # Of the core: what the flow adds is the same few tenths whatever the size, and stated apart.
    for has_cookies in item.cookies:
        core, command = (item.way(name, has_cookies=has_cookies) for name in (CORE, YT_DLP))
        aim = f"large file: `{CORE}` against `{YT_DLP}`"
        yield _at_most(aim, item.ratio(core, command).median, 1.1, "times")


def _at_least(aim: str, faster: float) -> Verdict:
    return f"{aim}: at least 3 times as fast", f"{faster:.2f} times", word(faster >= 3)


def _at_most(aim: str, measured: float, bound: float, unit: str) -> Verdict:
    return f"{aim}: at most {bound:g} {unit}", f"{measured:.2f} {unit}", word(measured <= bound)


def word(reached: bool) -> str:
    """Return how a table says whether an aim is reached."""
    return "reached" if reached else "**not reached**"
