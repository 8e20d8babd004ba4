from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.words import count_of, date_of, printable, short_span, size, utc_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (1.9, "1 s"),
        (119, "119 s"),
        (120, "2 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (172_799, "47 h"),
        (172_800, "2 days"),
        (70 * 86_400, "2 months"),
        (3 * 366 * 86_400, "3 years"),
    ],
)
def test_a_span_is_told_in_the_one_unit_that_fits(seconds, text):
    assert short_span(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (12_897_484, "12.3 MiB"),
        (1 << 50, "1024.0 TiB"),
    ],
)
def test_a_size_has_a_binary_unit(count, text):
    assert size(count) == text


def test_times_are_told_in_utc():
    elsewhere = timezone(timedelta(hours=-7))

    assert utc_text(datetime(2026, 1, 31, 20, 5, tzinfo=elsewhere)) == "2026-02-01T03:05:00Z"


def test_a_date_beyond_every_calendar_is_never():
    assert date_of(0) == "1970-01-01"
    assert date_of(2**53) == "never"


def test_one_thing_is_singular():
    assert [count_of(n, "video") for n in (0, 1, 2)] == ["0 videos", "1 video", "2 videos"]


@pytest.mark.parametrize(
    "text", ["\x1b[2J", "a\rb", "a\nb", "\x9b31m", "\u202egpj.exe", "\u2066x", "\ud800", "\u2028"]
)
def test_what_steers_a_terminal_is_not_printable(text):
    cleaned = printable(text)

    assert "�" in cleaned
    assert len(cleaned) == len(text)


def test_letters_of_every_script_stay():
    assert printable("Ünïcödé 日本語 עברית 🎬") == "Ünïcödé 日本語 עברית 🎬"


@given(st.text())
def test_printable_is_idempotent_and_one_line(text):
    once = printable(text)

    assert printable(once) == once
    assert len(once.splitlines()) <= 1
