"""Writing the files for Athena by hand: all of them or none, and what is wrong is named."""

import runpy

import duckdb
import pytest

from jarkeeper.analysis.athena import tables
from jarkeeper.audit.volumes import COLUMNS
from tenancy import INFRASTRUCTURE

main = runpy.run_path(str(INFRASTRUCTURE / "athena" / "render.py"))["main"]
NOVEMBER = ("2026-11-01", "2026-12-01")


def test_the_files_are_written_and_told(tmp_path, capsys):
    code = main([*NOVEMBER, str(tmp_path / "november"), "my-jars/teams/media/"])

    files = [path for path in (tmp_path / "november").rglob("*.sql") if path.is_file()]
    assert code == 0
    assert capsys.readouterr().out.startswith(f"{len(files)} files written to '{tmp_path}")
    assert "'s3://my-jars/teams/media/audit/'" in (tmp_path / "november/tables.sql").read_text()


def test_what_exists_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "tables.sql").write_text("mine")

    assert main([*NOVEMBER, str(tmp_path), "my-jars"]) == 2

    assert "tables.sql': is there already\nhint: name another folder" in capsys.readouterr().err
    assert (tmp_path / "tables.sql").read_text() == "mine"
    assert not (tmp_path / "queries").exists()


@pytest.mark.parametrize(
    ("since", "until", "bucket", "sentence"),
    [
        (*NOVEMBER, "My_Jars'", "bucket 'My_Jars'': expected the name of a bucket"),
        (*NOVEMBER, "my-jars/audit", "bucket 'my-jars/audit': expected another name first"),
        ("2026-13-01", NOVEMBER[1], "my-jars", "'2026-13-01': expected a moment such as"),
        (*NOVEMBER[::-1], "my-jars", "span of time: expected an end after"),
    ],
)
def test_what_is_wrong_with_the_words_is_named(tmp_path, capsys, since, until, bucket, sentence):
    assert main([since, until, str(tmp_path / "new"), bucket]) == 2

    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_words_that_are_too_few_are_told(capsys):
    assert main(["2026-11-01"]) == 2

    assert "expected SINCE UNTIL FOLDER BUCKET" in capsys.readouterr().err


def test_the_view_has_an_event_once_that_lies_in_a_volume_and_by_itself():
    columns = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
    view = tables().partition("CREATE OR REPLACE VIEW")[2]
    with duckdb.connect() as engine:
        engine.execute("CREATE MACRO from_iso8601_timestamp(text) AS rtrim(text, 'Z')")
        engine.execute(f"CREATE TABLE archived_events ({columns}, dt VARCHAR)")
        raw = columns.replace('"at" TIMESTAMP', '"at" VARCHAR')
        engine.execute(f"CREATE TABLE raw_events ({raw}, dt VARCHAR)")
        insert = 'INSERT INTO {} ("at", writer, seq, dt) VALUES (?, ?, ?, ?)'
        for table, writer, seq, day in [
            ("archived_events", "a", 1, "2026-06-01"),
            ("raw_events", "a", 1, "2026-06-01"),
            ("raw_events", "a", 2, "2026-06-01"),
            ("raw_events", "b", 1, "2026-06-01"),
        ]:
            at = f"{day}T00:00:00" + ("Z" if table == "raw_events" else "")
            engine.execute(insert.format(table), [at, writer, seq, day])

        engine.execute(f"CREATE OR REPLACE VIEW{view}")

        rows = engine.execute("SELECT writer, seq FROM events ORDER BY ALL").fetchall()
    assert rows == [("a", 1), ("a", 2), ("b", 1)]
