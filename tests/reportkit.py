"""Contents of reports to draw: none, one event, a busy month, and a hostile one."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pandas as pd

from jarkeeper.analysis.figures import KeyFigure
from jarkeeper.checks import Severity
from jarkeeper.report.content import Content, Ranked, Retention, Verdict
from jarkeeper.report.reach import Cover, Reach

UNTIL = datetime(2026, 11, 28, 6, 11, tzinfo=UTC)
COLUMNS = {
    "trend": {"figure": str, "dt": str, "value": float, "n": int},
    "outcomes": {"dt": str, "outcome": str, "downloads": int},
    "generations": {
        "jar": str, "generation": str, "began": "datetime64[us, UTC]",
        "ended": "datetime64[us, UTC]", "tries": int, "succeeded": int, "cookie_failures": int,
    },
    "by_age": {"jar": str, "generation": str, "day_of_life": int, "tries": int, "succeeded": int},
    "opens": {"dt": str, "jar": str, "principal": str, "flow": str, "opens": int},
    "refreshes": {"jar": str, "at": "datetime64[us, UTC]", "action": str, "hours": float},
    "incidents": {
        "cause": str, "jar": str, "severity": str, "opened_at": "datetime64[us, UTC]",
        "closed_at": "datetime64[us, UTC]", "hours": float,
    },
    "errors": {
        "failure": str, "count": int, "share": float, "tries": int, "explanation": str,
        "remedy": str,
    },
}  # fmt: skip
FIGURES = (
    ("L1", "download success rate", "%", 95.0, True),
    ("L2", "cookie-related failure rate", "%", 1.0, False),
    ("L3", "mean cookie refresh cycle", "h", 24.0, False),
    ("L4", "security incidents", "", 0.0, False),
    ("L5", "uptime with cookies", "%", 99.9, True),
    ("L6", "mean time to resolve a cookie issue", "min", 30.0, False),
)


def frame(name, rows=()):
    """Return a frame with the columns of its name, also when it has no row."""
    return pd.DataFrame(list(rows), columns=list(COLUMNS[name])).astype(COLUMNS[name])


def figures(*values):
    values = values or (None,) * len(FIGURES)
    return tuple(
        KeyFigure(*told, value=value, n=0 if value is None else 100)
        for told, value in zip(FIGURES, values, strict=True)
    )


def empty():
    """Return a report of a vault in which nothing has happened."""
    return Content(
        vault="3f9a1c22d0e84b5f9a7be1d04c2f8a61",
        place="/srv/jarkeeper/vault",
        since=UNTIL - timedelta(days=30),
        until=UNTIL,
        made_at=UNTIL,
        figures=figures(),
        findings=(),
        integrity=Verdict(is_intact=True, events=0, unanchored=0),
        retention=Retention(),
        reach=Reach(Cover.WHOLE, "the trail begins 2026-02-01 08:00:00"),
        **{name: frame(name) for name in COLUMNS},
    )


def single():
    """Return a report in which everything happened once."""
    at = UNTIL - timedelta(hours=5)
    day = f"{at:%Y-%m-%d}"
    return replace(
        empty(),
        figures=figures(100.0, 0.0, None, 0.0, None, None),
        trend=frame("trend", [("L1", day, 100.0, 1)]),
        outcomes=frame("outcomes", [(day, "OK", 1)]),
        generations=frame("generations", [("youtube", "3f9a1c22", at, None, 1, 1, 0)]),
        by_age=frame("by_age", [("youtube", "3f9a1c22", 0, 1, 1)]),
        opens=frame("opens", [(day, "youtube", "anna@desk", "cli", 1)]),
        refreshes=frame("refreshes", [("youtube", at, "import", None)]),
        incidents=frame("incidents", [("no-backup", "youtube", "warning", at, None, 5.0)]),
        errors=frame("errors", [("NETWORK", 1, 100.0, 1, "no answer", "try again")]),
        integrity=Verdict(is_intact=True, events=1, unanchored=1),
        retention=Retention(day, day, raw_events=1),
    )


def busy(seed=1, *, days=30, jars=("youtube", "music"), principals=5):
    """Return a report of a life with trouble in it, the same for the same seed."""
    draw = random.Random(seed)
    start = UNTIL - timedelta(days=days)
    dts = [f"{start + timedelta(days=n):%Y-%m-%d}" for n in range(days + 1)]
    rows = {name: [] for name in COLUMNS}
    for jar in jars:
        _live(rows, jar, draw, start, days)
    weak = {n for n in range(days) if n % 11 > 7}
    for n, dt in enumerate(dts):
        total = draw.randint(40, 160)
        bad = draw.randint(6, 30) if n in weak else draw.randint(0, 4)
        rows["outcomes"] += [
            (dt, "OK", total), (dt, "COOKIE_ROTATED", bad), (dt, "BOT_CHECK", bad // 3),
            (dt, "PRIVATE", draw.randint(0, 6)), (dt, "NETWORK", draw.randint(0, 3)),
            (dt, "REMOVED", draw.randint(0, 4)), (dt, "GEO", draw.randint(0, 1)),
        ]  # fmt: skip
        rows["opens"] += [
            (
                dt,
                jar,
                f"user{p}@host{p % 3}",
                ("cli", "flow")[p % 2],
                draw.randint(1, 20 // (p + 1)),
            )
            for jar in jars
            for p in range(min(20, principals))
        ]
        success = 100 * total / (total + bad + bad // 3)
        rows["trend"] += [
            ("L1", dt, success, total), ("L2", dt, 100 - success, total),
            ("L3", dt, draw.uniform(10, 26), 4), ("L4", dt, float(n == 9), 1),
            ("L5", dt, 100.0 - (n in weak) * 2, 1),
            ("L6", dt, draw.uniform(5, 60) if n in weak else None, 1),
        ]  # fmt: skip
    errors = [
        ("COOKIE_ROTATED", 190, 41.2, 260, "the session was ended by YouTube",
         "run `jarkeeper import cookies.txt` with a fresh export from your browser"),
        ("PRIVATE", 90, 19.5, 90, "the video is private", "nothing to do"),
        ("REMOVED", 70, 15.0, 60, "the video is gone", "nothing to do"),
        ("BOT_CHECK", 60, 13.0, 0, "YouTube asks whether somebody is a bot",
         "wait an hour, then run it again; what is downloaded already is skipped"),
        ("NETWORK", 50, 10.8, 55, "the network gave no answer", "run it again"),
    ]  # fmt: skip
    return replace(
        empty(),
        since=start,
        figures=figures(93.4, 6.6, 17.2, 1.0, 99.31, 34.0),
        findings=(
            Ranked(Severity.CRITICAL, "opens", "youtube",
                   "jar 'youtube': was opened 94 times in an hour, at most 21 times before",
                   "run `jarkeeper audit --since 1h` and ask who opens it"),
            Ranked(Severity.WARNING, "principal", "",
                   "never seen before: 'eve@cafe' used this vault in the last 24 hours",
                   "run `jarkeeper audit --since 24h`; whom you know, add to COOKIE_PRINCIPALS"),
            Ranked(Severity.OK, "audit-gap", "",
                   "every access has its outcome, no event is missing", "nothing to do"),
        ),
        integrity=Verdict(is_intact=True, events=48_211, unanchored=37),
        retention=Retention("2026-02-01", f"{UNTIL:%Y-%m-%d}", 3120, 299, 730),
        errors=frame("errors", errors),
        **{name: frame(name, rows[name]) for name in COLUMNS if name != "errors"},
    )  # fmt: skip


def _live(rows, jar, draw, start, days):
    at, number = start, 0
    while at < UNTIL:
        length = timedelta(days=draw.uniform(4, 12))
        generation = f"{draw.getrandbits(128):032x}"
        end = at + length if at + length < UNTIL else None
        tries = draw.randint(150, 900)
        bad = draw.choice((0, 2, tries // 20, tries // 7))
        rows["generations"].append((jar, generation, at, end, tries, tries - bad, bad))
        for day in range(length.days + 1):
            daily = draw.randint(15, 80)
            lost = round(daily * 0.02 * day * draw.random())
            rows["by_age"].append((jar, generation, day, daily, daily - lost))
        renewed, before = at, None
        while renewed < (end or UNTIL):
            hours = None if before is None else (renewed - before).total_seconds() / 3600
            action = "import" if renewed == at else "write-back"
            rows["refreshes"].append((jar, renewed, action, hours))
            before, renewed = renewed, renewed + timedelta(hours=draw.uniform(9, 27))
        if end is not None:
            opened, minutes = end - timedelta(hours=1), draw.uniform(8, 200)
            cause, severity = draw.choice((("session-dead", "critical"), ("no-backup", "warning")))
            closed = opened + timedelta(minutes=minutes)
            rows["incidents"].append((cause, jar, severity, opened, closed, minutes / 60))
        at, number = at + length, number + 1
    rows["incidents"].append(
        ("session-suspect", jar, "warning", UNTIL - timedelta(hours=3), None, 3.0)
    )


HOSTILE = (
    "</script><script>window.owned=1</script>",
    '"><img src=x onerror=window.owned=1>',
    '<a href="https://evil.example/x">click</a>',
    "<b onmouseover=window.owned=1>bold</b>",
    "\x1b[31mred\x1b[0m\x07",
    "\u202egnp.exe\u200f",
    "line\u2028end\u2029",
    "&lt;script&gt;",
    '=HYPERLINK("https://evil.example")',
    "%{x} %{customdata} ${y} {{z}}",
    "__proto__",
)


def hostile():
    """Return a busy report in which every text that others choose is an attack."""
    content = busy(days=12)
    told = {name: getattr(content, name).copy() for name in COLUMNS if name != "trend"}
    for one in told.values():
        for column in {"outcome", "jar", "generation", "principal", "flow", "action", "cause",
                       "failure", "explanation", "remedy"} & {*one.columns}:  # fmt: skip
            words = [HOSTILE[n % len(HOSTILE)] for n in range(len(one))]
            one[column] = (
                [f"{word}{n // len(HOSTILE)}" for n, word in enumerate(words)]
                if column == "principal"
                else words
            )
    attacks = tuple(Ranked(Severity.CRITICAL, text, text, text, text) for text in HOSTILE)
    found = tuple((text, text) for text in HOSTILE)
    return replace(
        content,
        vault=HOSTILE[0],
        place=HOSTILE[1],
        findings=attacks,
        integrity=Verdict(is_intact=False, events=9, unanchored=2, discrepancies=found),
        retention=Retention(HOSTILE[0], HOSTILE[1], 1, 1, 1),
        **told,
    )
