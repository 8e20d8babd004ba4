"""The report's questions as somebody would ask them of bare DuckDB and bare polars.

The engine reads the files, keeps what counts and adds up what is frequent; the few events that are
left, such as incidents, are plain Python's. Nothing of Jarkeeper's analysis is used.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

from jarkeeper.audit.patterns import VIDEOS_OWN
from jarkeeper.audit.usage import COOKIE_FAILURES

HISTORY = timedelta(days=92)
FREQUENT = ("lend", "outline", "use", "download")
BEGINNING = ("import", "rotate", "promote", "restore", "write-back")
RENEWING = ("import", "rotate", "write-back")
SECURITY = {"integrity", "rollback", "principal", "audit-gap", "opens", "emergency"}
OF_COOKIES = {"session-dead", "session-suspect", "youtube-pause"}
CLASSES = sorted({"OK", *VIDEOS_OWN, *COOKIE_FAILURES, "NETWORK", "RATE_LIMIT_IP"})
DAY = timedelta(days=1)

Answers = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Sums:
    """What the engine found."""

    tries: list[tuple[str, str, str, str, str, int, datetime]]
    """dt, action, jar, generation ('' of downloads), class, number, first moment."""
    opens: list[tuple[str, str, str, int, datetime]]
    """dt, jar, actor, number, first moment."""
    rare: list[tuple[datetime, str, str, str, str, list[str], float]]
    """at, action, jar, generation, detail, names of its counts, seconds; the oldest first."""


def with_duckdb(files: list[Path], since: datetime, until: datetime) -> Sums:
    """Ask DuckDB as it comes."""
    import duckdb

    names = [str(path) for path in files]
    lines = (
        "read_json($files, format = 'newline_delimited', hive_partitioning = true, "
        "hive_types = {'dt': VARCHAR}, columns = {'at': 'TIMESTAMP', action: 'VARCHAR', "
        "outcome: 'VARCHAR', phase: 'VARCHAR', jar: 'VARCHAR', generation: 'VARCHAR', "
        "actor: 'VARCHAR', slot: 'VARCHAR', detail: 'VARCHAR', counts: 'MAP(VARCHAR, BIGINT)', "
        "seconds: 'DOUBLE', writer: 'VARCHAR', seq: 'BIGINT'})"
    )
    volumes = "read_parquet($files, hive_partitioning = true, hive_types = {'dt': VARCHAR})"
    source = lines if files[0].suffix == ".jsonl" else volumes
    span = {"since": _naive(since), "until": _naive(until), "history": _naive(since - HISTORY)}
    with duckdb.connect() as database:
        database.execute(
            f"""
            CREATE TEMP TABLE kept AS
            SELECT dt, "at", action, jar, generation, actor, slot, detail, counts, seconds, writer,
                   seq
            FROM {source}
            WHERE dt BETWEEN strftime($history, '%Y-%m-%d') AND strftime($until, '%Y-%m-%d')
              AND "at" >= $history AND "at" < $until AND phase = 'outcome' AND outcome = 'ok'
              AND ("at" >= $since OR action NOT IN {FREQUENT})""",
            {"files": names, **span},
        )
        ask = lambda sql: database.execute(sql).fetchall()  # noqa: E731
        return Sums(
            tries=ask(
                """
                SELECT dt, action, jar, CASE action WHEN 'use' THEN generation ELSE '' END,
                       entry.key, SUM(entry.value)::BIGINT, MIN("at")
                FROM (SELECT *, unnest(map_entries(counts)) AS entry FROM kept
                      WHERE action IN ('use', 'download'))
                GROUP BY ALL"""
            ),
            opens=ask(
                """
                SELECT dt, jar, actor, COUNT(*), MIN("at") FROM kept
                WHERE action IN ('lend', 'outline') GROUP BY ALL"""
            ),
            rare=ask(
                f"""
                SELECT "at", action, jar, generation, detail, map_keys(counts), seconds FROM kept
                WHERE action IN ('incident', 'revoke')
                   OR (action IN {BEGINNING} AND detail = ''
                       AND (action <> 'write-back' OR slot = 'active'))
                ORDER BY "at", writer, seq"""
            ),
        )


def with_polars(files: list[Path], since: datetime, until: datetime) -> Sums:
    """Ask polars as it comes: lazily, with its streaming engine."""
    import polars as pl

    first, last = _naive(since), _naive(until)
    days = f"{since - HISTORY:%Y-%m-%d}", f"{until:%Y-%m-%d}"
    counts = pl.Struct(dict.fromkeys((*CLASSES, *_MARKS), pl.Int64))
    texts = ("action", "outcome", "phase", "jar", "generation", "actor", "slot", "detail", "writer")
    if files[0].suffix == ".jsonl":
        schema = {"at": pl.String, **dict.fromkeys(texts, pl.String)}
        schema |= {"seq": pl.Int64, "seconds": pl.Float64, "counts": counts}
        events = pl.scan_ndjson(files, schema=schema).with_columns(
            pl.col("at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="us"),
            dt=pl.col("at").str.slice(0, 10),
        )
    else:
        events = pl.scan_parquet(files, hive_partitioning=True, try_parse_hive_dates=False).filter(
            pl.col("dt").is_between(*map(pl.lit, days))
        )
    kept = events.filter(
        pl.col("at") < last,
        pl.col("phase") == "outcome",
        pl.col("outcome") == "ok",
    )
    recent = kept.filter(pl.col("at") >= first)
    by = ["dt", "action", "jar", "generation"]
    used = recent.filter(pl.col("action").is_in(["use", "download"])).with_columns(
        generation=pl.when(pl.col("action") == "use").then("generation").otherwise(pl.lit(""))
    )
    if files[0].suffix == ".jsonl":
        tries = (
            used.unnest("counts")
            .unpivot(CLASSES, index=[*by, "at"], variable_name="key")
            .drop_nulls("value")
        )
    else:
        entries = used.select(*by, "at", pl.col("counts").map.entries())
        tries = entries.explode("counts").unnest("counts").drop_nulls("key")
    begins = pl.col("action").is_in(BEGINNING) & (pl.col("detail") == "")
    begins &= (pl.col("action") != "write-back") | (pl.col("slot") == "active")
    rare = kept.filter(
        pl.col("at") >= first - HISTORY, pl.col("action").is_in(["incident", "revoke"]) | begins
    ).sort("at", "writer", "seq")
    found = pl.collect_all(
        [
            tries.group_by(*by, "key").agg(pl.col("value").sum(), first=pl.col("at").min()),
            recent.filter(pl.col("action").is_in(["lend", "outline"]))
            .group_by("dt", "jar", "actor")
            .agg(n=pl.len(), first=pl.col("at").min()),
            rare.select("at", "action", "jar", "generation", "detail", "counts", "seconds"),
        ],
        engine="streaming",
    )
    marks = [(*row[:5], _names(row[5]), row[6]) for row in found[2].rows()]
    return Sums(found[0].rows(), found[1].rows(), marks)


def answer(sums: Sums, since: datetime, until: datetime) -> Answers:
    """Return the answers to all questions."""
    first, last = _naive(since), _naive(until)
    incidents = list(_incidents(sums.rare))
    lives = _lives(sums.rare)
    refreshes = _refreshes(sums.rare, first)
    return {
        "days": list(_days(sums, incidents, refreshes, first, last)),
        "outcomes": [
            (dt, name, n) for (dt, name), n in _totals(sums, "download", itemgetter(0, 4)).items()
        ],
        "errors": [
            (name, n)
            for name, n in _totals(sums, "download", itemgetter(4)).items()
            if name != "OK"
        ],
        "opens": list(_opens(sums)),
        "refreshes": refreshes,
        "incidents": [
            (cause, jar, severity, opened, ended, _hours(ended, opened))
            for cause, jar, severity, opened, ended, *_ in incidents
            if ended is None or ended >= first
        ],
        "generations": list(_generations(sums, lives, first)),
        "by_age": list(_by_age(sums, lives)),
    }


_MARKS = ("opened", "closed", "escalated", "warning", "critical")


def _names(counts: Any) -> list[str]:
    if isinstance(counts, dict):  # a struct of every known name
        return [name for name, number in counts.items() if number is not None]
    return [entry["key"] for entry in counts or ()]


def _totals(sums: Sums, action: str, place: Callable[[Any], Any]) -> Counter[Any]:
    found: Counter[Any] = Counter()
    for row in sums.tries:
        if row[1] == action:
            found[place(row)] += row[5]
    return found


def _opens(sums: Sums) -> Iterator[tuple[Any, ...]]:
    found: Counter[tuple[str, ...]] = Counter()
    for dt, jar, actor, n, _ in sums.opens:
        who, _, program = actor.rpartition(" ")
        found[dt, jar, who or actor, program] += n
    yield from ((*place, n) for place, n in found.items())


def _days(
    sums: Sums, incidents: list[Any], refreshes: list[Any], since: datetime, until: datetime
) -> Iterator[tuple[Any, ...]]:
    """Give each figure of each day: figure, dt, value, n."""
    videos, good = Counter[str](), Counter[str]()
    tries, bad = Counter[str](), Counter[str]()
    for dt, action, _, _, name, n, _ in sums.tries:
        if action == "download" and name not in VIDEOS_OWN:
            videos[dt] += n
            good[dt] += n * (name == "OK")
        elif action == "use":
            tries[dt] += n
            bad[dt] += n * (name in COOKIE_FAILURES)
    yield from (("L1", dt, 100 * good[dt] / n, n) for dt, n in videos.items())
    yield from (("L2", dt, 100 * bad[dt] / n, n) for dt, n in tries.items())
    yield from _means("L3", ((at, hours) for _, at, _, hours in refreshes if hours is not None))
    trouble: Counter[str] = Counter()
    looked: set[str] = {row[0] for row in sums.tries} | {row[0] for row in sums.opens}
    for at, action, _, _, detail, names, _ in sums.rare:
        if at >= since:
            looked.add(str(at)[:10])
            is_one = action == "incident" and detail in SECURITY and "opened" in names
            trouble[str(at)[:10]] += is_one
    yield from (("L4", dt, float(trouble[dt]), trouble[dt]) for dt in looked)
    yield from _uptime(sums, incidents, since, until)
    yield from _means(
        "L6",
        (
            (ended, (ended - opened).total_seconds() / 60)
            for cause, _, _, opened, ended, is_closed, _ in incidents
            if is_closed and cause in OF_COOKIES and ended >= since
        ),
    )


def _means(figure: str, found: Iterable[tuple[datetime, float]]) -> Iterator[tuple[Any, ...]]:
    days: dict[str, list[float]] = defaultdict(list)
    for at, value in found:
        days[str(at)[:10]].append(value)
    yield from ((figure, dt, sum(all_) / len(all_), len(all_)) for dt, all_ in days.items())


def _uptime(
    sums: Sums, incidents: list[Any], since: datetime, until: datetime
) -> Iterator[tuple[Any, ...]]:
    signs = [(row[2], row[6]) for row in sums.tries] + [(row[1], row[4]) for row in sums.opens]
    signs += [(row[2], row[0]) for row in sums.rare] + [(one[1], one[3]) for one in incidents]
    seen: dict[str, datetime] = {}
    for jar, at in signs:
        if jar:
            seen[jar] = min(at, seen.get(jar, at))
    dead = [(one[1], one[6], one[4]) for one in incidents if one[0] == "session-dead" and one[6]]
    day = since.replace(hour=0, minute=0, second=0, microsecond=0)
    while day < until:
        up = whole = 0.0
        jars = 0
        for jar, known in seen.items():
            begin, end = max(day, since, known), min(day + DAY, until)
            if begin < end:
                down = (
                    (min(ended or end, end) - max(critical, begin)).total_seconds()
                    for name, critical, ended in dead
                    if name == jar and critical < end and (ended or end) > begin
                )
                jars += 1
                whole += (end - begin).total_seconds()
                up += (end - begin).total_seconds() - sum(down)
        if jars:
            yield "L5", str(day)[:10], 100 * up / whole, jars
        day += DAY


def _refreshes(rare: list[Any], since: datetime) -> list[tuple[Any, ...]]:
    before: dict[str, datetime] = {}
    found = []
    for at, action, jar, *_ in rare:
        if action in RENEWING:
            if at >= since:
                found.append((jar, at, action, _hours(at, before.get(jar))))
            before[jar] = at
    return found


def _incidents(rare: list[Any]) -> Iterator[tuple[Any, ...]]:
    """Give cause, jar, severity, opened, ended, whether closed, critical since."""
    marks = defaultdict(list)
    for at, action, jar, _, cause, names, seconds in rare:
        if action == "incident":
            marks[cause, jar].append((at, names, seconds))
    for (cause, jar), events in marks.items():
        spells: list[list[Any]] = []
        is_open = False
        for event in events:
            if not is_open or "opened" in event[1]:
                spells.append([])
            spells[-1].append(event)
            is_open = "closed" not in event[1]
        for spell, after in pairwise([*spells, []]):
            yield (cause, jar, *_spell(spell, after, spells))


def _spell(spell: list[Any], after: list[Any], spells: list[list[Any]]) -> tuple[Any, ...]:
    at, names, _ = spell[0]
    opened, last = at, spell[-1]
    closed = last[0] if "closed" in last[1] else None
    if "opened" not in names and closed is not None:
        opened = last[0] - timedelta(seconds=last[2])
        earlier = [one[0] for other in spells for one in other if one[0] < at]
        opened = max([opened, *earlier[-1:]])
    critical = next((at for at, names, _ in spell if _rises(names)), None)
    all_names = {name for one in spell for name in one[1]}
    severity = next((name for name in ("critical", "warning") if name in all_names), "")
    if severity == "critical":
        critical = critical or opened
    ended = closed or (after[0][0] if after else None)
    return severity, opened, ended, closed is not None, critical


def _rises(names: list[str]) -> bool:
    return "critical" in names and "closed" not in names


def _lives(rare: list[Any]) -> dict[tuple[str, str], tuple[Any, Any, Any]]:
    """Return when each generation was active, and since when its login was."""
    revoked = {(jar, name): at for at, action, jar, name, *_ in rare if action == "revoke"}
    spells = defaultdict(list)
    jars = sorted((row for row in rare if row[1] in BEGINNING), key=itemgetter(2))
    for jar, group in groupby(jars, key=itemgetter(2)):
        login = None
        for (at, action, _, name, *_), after in pairwise([*group, None]):
            login = at if action != "write-back" else login
            ended = after and after[0]
            gone = revoked.get((jar, name))
            if gone and gone >= at and (ended is None or gone < ended):
                ended = gone
            spells[jar, name].append((at, ended, login))
    return {place: _joined(found) for place, found in spells.items()}


def _joined(spells: list[tuple[Any, Any, Any]]) -> tuple[Any, Any, Any]:
    ends = [ended for _, ended, _ in spells]
    logins = [login for *_, login in spells if login is not None]
    return spells[0][0], None if None in ends else max(ends), min(logins, default=None)


def _used(sums: Sums) -> dict[tuple[str, str], list[Any]]:
    """Return by jar and generation: first use, tries, successes, failures of cookies."""
    found: dict[tuple[str, str], list[Any]] = {}
    for _, action, jar, generation, name, n, at in sums.tries:
        if action == "use":
            one = found.setdefault((jar, generation), [at, 0, 0, 0])
            one[0] = min(one[0], at)
            one[1] += n
            one[2] += n * (name == "OK")
            one[3] += n * (name in COOKIE_FAILURES)
    return found


def _generations(sums: Sums, lives: dict[Any, Any], since: datetime) -> Iterator[tuple[Any, ...]]:
    used = _used(sums)
    for place in {*lives, *used}:
        use = used.get(place, [None, 0, 0, 0])
        began, ended, _ = lives.get(place, (use[0], None, None))
        if use[1] or ended is None or ended >= since:
            yield (*place, began, ended, *use[1:])


def _by_age(sums: Sums, lives: dict[Any, Any]) -> Iterator[tuple[Any, ...]]:
    used = _used(sums)
    found: dict[Any, list[int]] = defaultdict(lambda: [0, 0])
    for dt, action, jar, generation, name, n, _ in sums.tries:
        if action == "use":
            place = jar, generation
            login = lives.get(place, (None, None, None))[2] or used[place][0]
            age = max(0, (datetime.fromisoformat(dt).date() - login.date()).days)
            found[*place, age][0] += n
            found[*place, age][1] += n * (name == "OK")
    yield from ((*place, *sums_) for place, sums_ in found.items())


def _hours(later: datetime | None, earlier: datetime | None) -> float | None:
    if later is None or earlier is None:
        return None
    return (later - earlier).total_seconds() / 3600


def _naive(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
