from jarkeeper.downloads.receipts import Outcome, Preparation, VideoReceipt
from jarkeeper.downloads.summary import summarise
from jarkeeper.youtube.messages import Event, Lent, Marked, Withheld, WroteBack

PREPARATION = Preparation("youtube", "always", ("none", "active"), (), "active jar: logged in")
LENT = Lent("active", "a" * 32, "f" * 16, 1)


def summary(*receipts: VideoReceipt, events: tuple[Event, ...] = (), stopped: str | None = None):
    return summarise(PREPARATION, receipts=receipts, events=events, stopped=stopped, seconds=2.0)


def test_the_counts_are_those_of_the_receipts() -> None:
    told = summary(
        VideoReceipt("a", Outcome.DOWNLOADED, bytes=10, used="active"),
        VideoReceipt("b", Outcome.ALREADY_THERE, bytes=99),
        VideoReceipt("c", Outcome.FAILED, failure="PRIVATE", used="none"),
        VideoReceipt("d", Outcome.SKIPPED),
    )

    counts = (told.videos, told.downloaded, told.already_there, told.failed, told.skipped)
    assert counts == (4, 1, 1, 1, 1)
    assert told.bytes == 10
    assert told.failures == {"PRIVATE": 1}
    assert told.uses == {"active": 1}
    assert not told.succeeded


def test_a_run_succeeded_when_everything_is_there() -> None:
    told = summary(VideoReceipt("a", Outcome.DOWNLOADED), VideoReceipt("b", Outcome.ALREADY_THERE))

    assert told.succeeded


def test_a_stopped_run_did_not_succeed() -> None:
    assert not summary(VideoReceipt("a", Outcome.DOWNLOADED), stopped="bot check").succeeded


def test_without_a_loan_the_status_is_what_was_prepared() -> None:
    assert summary().cookie_status == "active jar: logged in"


def test_a_jar_that_worked_is_said_to_have_worked() -> None:
    arrived = VideoReceipt("a", Outcome.DOWNLOADED, used="active")

    assert summary(arrived, events=(LENT,)).cookie_status == "active jar worked"


def test_a_jar_without_a_video_to_prove_it_is_not_said_to_have_worked() -> None:
    failed = VideoReceipt("a", Outcome.FAILED, failure="NETWORK", used="active")

    assert "worked" not in summary(failed, events=(LENT,)).cookie_status


def test_a_death_is_told_with_the_next_step() -> None:
    dead = Marked("active", "a" * 32, "dead", None, "COOKIE_ROTATED")

    told = summary(events=(LENT, dead))

    assert "died" in told.cookie_status
    assert "jarkeeper import" in told.notices[0]


def test_a_rest_is_told_with_its_end() -> None:
    cooling = Marked("active", "a" * 32, "cooling", "2026-11-23T12:00:00+00:00", "BOT_CHECK")

    told = summary(events=(LENT, cooling))

    assert "rest" in told.cookie_status
    assert "2026-11-23 12:00 UTC" in told.notices[0]


def test_write_backs_and_refusals_are_told_once_each() -> None:
    events = (
        WroteBack("active", "b" * 32, None),
        WroteBack("active", "b" * 32, None),
        WroteBack("backup", None, "login_gone"),
        Withheld("backup", "it is revoked", "COOKIE_FORMAT"),
    )

    notices = summary(events=events).notices

    assert len(notices) == 3
    assert "login_gone" in notices[1]
    assert "revoked" in notices[2]
