"""A line the size of a word: the trend of one key figure, as SVG that needs no script."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

WIDTH, HEIGHT, EDGE = 200, 36, 4


def sparkline(values: Sequence[float], *, target: float) -> str:
    """Return the values as an SVG; a gap where nothing happened, a dashed line at the target."""
    known = [value for value in values if not isnan(value)]
    if not known:
        return ""
    low, high = min(*known, target), max(*known, target)

    def place(number: int, value: float) -> str:
        x = EDGE + number * (WIDTH - 2 * EDGE) / max(1, len(values) - 1)
        return f"{x:.1f},{height(value):.1f}"

    def height(value: float) -> float:
        return HEIGHT - EDGE - (value - low) / ((high - low) or 1) * (HEIGHT - 2 * EDGE)

    runs: list[list[str]] = [[]]
    for number, value in enumerate(values):
        if not isnan(value):
            runs[-1].append(place(number, value))
        elif runs[-1]:
            runs.append([])
    lines = "".join(f'<polyline points="{" ".join(run)}"/>' for run in runs if len(run) > 1)
    dots = [run[0] for run in runs if len(run) == 1] + ([runs[-1][-1]] if runs[-1] else [])
    radius = 2 if lines else 3
    circles = "".join(
        '<circle cx="{}" cy="{}" r="{}"/>'.format(*dot.split(","), radius)
        for dot in dict.fromkeys(dots)
    )
    # From edge to edge: the last point has a width too.
    level = f'<path class="target" d="M0 {height(target):.1f}H{WIDTH}"/>'
    return (
        f'<svg class="spark" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="xMinYMid" '
        f'aria-hidden="true" focusable="false">{level}{lines}{circles}</svg>'
    )
