from datetime import UTC, datetime, timedelta, timezone

import pytest

from jarkeeper.records import read_time, write_time


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 6, 1, 12, tzinfo=UTC),
        datetime(2026, 6, 1, 12, 0, 0, 1, tzinfo=UTC),
        datetime(2026, 6, 1, 12, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_moment_is_read_as_it_was_written(moment):
    read = read_time(write_time(moment))

    assert read == moment
    assert read.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-06-01",
        "2026-06-01T12:00:00Z",
        "2026-06-01T12:00:00.000001",
        "2026-06-01T12:00:00.000001+00:00",
        "2026-06-01T14:00:00.000001+02:00",
        "2026-06-01 12:00:00.000001Z",
        "20260601T120000.000001Z",
        "2026-W23-1T12:00:00.000001Z",
        "2026-13-01T12:00:00.000001Z",
    ],
)
def test_a_moment_has_one_form(text):
    with pytest.raises(ValueError):
        read_time(text)
