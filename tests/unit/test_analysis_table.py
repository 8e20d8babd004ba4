import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlglot
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from jarkeeper.actions import Action
from jarkeeper.analysis import frames
from jarkeeper.analysis.athena import for_athena, tables
from jarkeeper.analysis.figures import key_figures
from jarkeeper.analysis.queries import QUERIES, Span, find_rows
from jarkeeper.analysis.table import open_table
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.audit.events import write_event
from jarkeeper.audit.volumes import Row, write_volume
from jarkeeper.errors import InputError, VaultError
from jarkeeper.names import VaultId

DAY = timedelta(days=1)
START = datetime(2026, 6, 1, 12, tzinfo=UTC)
VAULT = VaultId("0" * 32)
HOSTILE = [
    "'); DROP TABLE facts; --",
    "$since ${until} $$ {0} %s",
    "' UNION SELECT content FROM read_text('/etc/passwd') --",
    "/etc/passwd",
    "https://127.0.0.1:1/x",
    '<script>alert("x")</script>',
    "\x00\x1b[2J\u202e\n\t\\",
    "",
]


def download(at, *, seq=1, **more):
    more = {"jar": "youtube", "counts": {"OK": seq}} | more
    return Event(
        at, Action.DOWNLOAD, Phase.OUTCOME, "x", outcome=Outcome.OK, writer="w", seq=seq, **more
    )


def line_of(event):
    return write_event(event, key=b"k" * 32, vault=VAULT)


def store_lines(folder, events):
    """Lay the events down as a vault does: each alone, in the folder of its day."""
    for event in events:
        path = folder / f"dt={event.at:%Y-%m-%d}" / event.writer / f"{event.seq:012d}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(line_of(event))
    return folder


def store_volume(folder, events):
    path = folder / f"dt={events[0].at:%Y-%m-%d}" / "000001.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [Row(leaf, one.writer, one.seq, line_of(one)) for leaf, one in enumerate(events)]
    path.write_bytes(write_volume(rows))
    return path


def test_events_are_the_same_rows_wherever_they_lie(tmp_path):
    events = [
        download(START, counts={}, seconds=1.25, actor="a@h cli"),
        Event(START + DAY, Action.LEND, Phase.INTENT, "y", jar="o'k", detail="w", head_seq=7),
    ]
    volumes = [store_volume(tmp_path / "archive", [event]) for event in events]
    lines = store_lines(tmp_path / "audit", events)

    found = []
    for parts in ({"volumes": volumes}, {"lines": [lines]}, {"events": events}):
        with open_table(**parts) as table:
            found.append(table.rows('SELECT * FROM events ORDER BY "at"'))

    assert found[0] == found[1] == found[2]
    first, second = found[0]
    assert first[0] == START.replace(tzinfo=None)
    assert (first[-5], first[-1], second[-1]) == ({}, "2026-06-01", "2026-06-02")
    assert second[10] is None


def test_volumes_lines_and_events_are_one_table(tmp_path):
    volume = store_volume(tmp_path, [download(START, seq=1)])
    lines = store_lines(tmp_path / "raw", [download(START, seq=2)])

    with open_table(volumes=[volume], lines=[lines], events=[download(START, seq=4)]) as table:
        (figure, *_) = key_figures(table, since=START, until=START + DAY)

    assert figure.n == 7


@pytest.mark.parametrize("form", ["volumes", "lines"])
def test_a_span_reads_only_the_days_it_needs(tmp_path, form):
    span = Span(START, START + DAY)
    for passed in (-200, -93, 2, 3):
        day = tmp_path / f"dt={START + passed * DAY:%Y-%m-%d}"
        day.mkdir()
        (day / "000001.parquet").write_bytes(b"PAR1 no volume")
        (day / "000001.jsonl").write_bytes(b"no line\n")
    store_volume(tmp_path, [download(START)])
    store_lines(tmp_path, [download(START)])
    newest = [download(START + 9 * DAY)]  # DuckDB looks at one file for the columns
    store_volume(tmp_path, newest)

    with open_table(**{form: [tmp_path]}) as table:
        found = {name: find_rows(table, name, span) for name in QUERIES}
        with pytest.raises(VaultError, match="cannot be analysed"):
            table.rows("SELECT min(seq) FROM events WHERE dt < '2026-06-01'")

    assert found["outcomes"] == [("2026-06-01", "OK", 1)]


def test_names_of_folders_are_names_and_no_patterns(tmp_path):
    folder = tmp_path / "we[i]rd *? 'x' jar=k"
    store_lines(folder, [download(START)])
    store_lines(tmp_path / "weird *? 'x' jar=k", [download(START, seq=2)])

    with open_table(lines=[folder], events=[download(START, seq=4)]) as table:
        assert sorted(table.rows("SELECT seq, jar FROM events")) == [(1, "youtube"), (4, "youtube")]


def test_a_file_outside_a_folder_of_its_day_is_refused(tmp_path):
    (tmp_path / "events.jsonl").touch()

    with pytest.raises(InputError, match="expected it in a folder dt=YYYY-MM-DD"):
        open_table(lines=[tmp_path]).__enter__()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('{secret}')",
        "SELECT * FROM read_csv('{secret}')",
        "SELECT * FROM '{secret}'",
        "SELECT * FROM glob('{folder}/*')",
        "COPY (SELECT 1) TO '{folder}/dt=2026-06-01/new.csv'",
        "ATTACH '{folder}/new.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
        "SET enable_external_access = true",
        "SET allowed_paths = ['{secret}']",
        "SET lock_configuration = false",
        "RESET memory_limit",
    ],
)
def test_no_query_gets_at_another_file_or_the_network(tmp_path, sql):
    lines = store_lines(tmp_path / "audit", [download(START)])
    secret = tmp_path / "audit" / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    before = sorted(tmp_path.rglob("*"))

    with open_table(lines=[lines]) as table, pytest.raises(VaultError):
        table.rows(sql.format(secret=secret, folder=lines))

    assert sorted(tmp_path.rglob("*")) == before


def test_a_file_may_be_read_and_not_written(tmp_path):
    lines = store_lines(tmp_path, [download(START)])
    (file,) = lines.rglob("*.jsonl")
    before = file.read_bytes()

    with open_table(lines=[lines]) as table, pytest.raises(VaultError):
        table.rows(f"COPY (SELECT 1) TO '{file}' (FORMAT json)")

    assert file.read_bytes() == before


@hypothesis_settings(max_examples=10, deadline=None)
@given(st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"])), st.data())
def test_what_stands_in_a_field_is_only_text(text, data):
    other = data.draw(st.sampled_from(HOSTILE))
    counts = {"opened": 1, "critical": 1}
    common = {"outcome": Outcome.OK, "writer": other, "jar": text, "generation": other}
    events = [
        Event(START, Action.LEND, Phase.OUTCOME, "x", actor=f"{other} {text}", **common),
        Event(START, Action.IMPORT, Phase.OUTCOME, "x", **common),
        Event(START, Action.USE, Phase.OUTCOME, "x", counts={"OK": 1}, **common),
        Event(START, Action.INCIDENT, Phase.OUTCOME, "x", counts=counts, detail="opens", **common),
    ]

    with open_table(events=events) as table:
        when = {"since": START, "until": START + DAY}
        found = [
            *frames.opens(table, **when)["jar"],
            *frames.incidents(table, **when)["jar"],
            *frames.refreshes(table, **when)["jar"],
            *frames.generations(table, **when)["jar"],
        ]
        (row,) = frames.by_age(table, **when).itertuples()

    assert found == [text] * 4
    assert (row.jar, row.generation) == (text, other)


def test_more_than_fits_into_memory_is_counted_all_the_same(tmp_path):
    one = json.loads(line_of(download(START)))
    rows = 150_000
    folder = tmp_path / "dt=2026-06-01"
    folder.mkdir()
    with (folder / "many.jsonl").open("w") as file:
        for seq in range(rows):
            one |= {"seq": seq, "action": "incident", "detail": "opens", "jar": f"{seq:0300d}"}
            file.write(json.dumps(one | {"counts": {"opened": 1}}) + "\n")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with open_table(lines=[tmp_path], memory="200MB", scratch=scratch) as table:
        rows_found = find_rows(table, "figures", Span(START - DAY / 2, START + DAY))
        spilled = list(scratch.rglob("*.tmp"))

    assert [row[-1] for row in rows_found if row[0] == "L4"] == [rows]
    assert spilled
    assert not list(scratch.iterdir())


def test_an_error_of_duckdb_is_one_of_ours():
    with open_table() as table, pytest.raises(VaultError, match="cannot be analysed"):
        table.rows("SELECT nothing")


@pytest.mark.parametrize("name", QUERIES)
def test_athena_understands_the_query_and_finds_the_same(name):
    events = [
        download(START),
        Event(START, Action.IMPORT, Phase.OUTCOME, "x", outcome=Outcome.OK, jar="y"),
    ]
    span = Span(START - DAY, START + DAY)
    sql = for_athena(name, span)

    with open_table(events=events) as table:
        ours, theirs = find_rows(table, name, span), table.rows(sql)

    (statement,) = sqlglot.parse(sql, read="athena")
    assert theirs == ours
    assert called(statement) <= KNOWN_TO_BOTH


KNOWN_TO_BOTH = {
    *("contains", "map_keys", "unnest", "sequence", "to_unixtime", "date_diff", "regexp_replace"),
    *("regexp_extract", "coalesce", "nullif", "greatest", "least", "count", "sum", "min", "max"),
    *("lag", "lead", "cast", "case", "if", "and", "or"),
}


def called(statement):
    """Return the names of the functions in a statement, as they are written for Athena."""
    tokens = sqlglot.tokenize(statement.sql(dialect="athena"), read="athena")
    return {
        name.text.lower()
        for before, name, after in zip(tokens, tokens[1:], tokens[2:], strict=False)
        if after.text == "(" and name.token_type.name in ("VAR", "UNNEST") and before.text != "AS"
    }


def test_athena_understands_the_tables():
    statements = [part for part in sqlglot.parse(tables("s3://jars/teams/"), read="athena") if part]

    assert [statement.key for statement in statements] == ["create"] * 3
    assert "s3://jars/teams/audit/archive/dt=${dt}" in tables("jars/teams")
