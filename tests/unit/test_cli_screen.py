from dataclasses import replace
from pathlib import Path

import pytest

from jarkeeper.checks import Finding, Severity
from jarkeeper.cli.download import exit_of_run
from jarkeeper.cli.exits import Exit
from jarkeeper.cli.screen import Lines, Silent, choose_screen
from jarkeeper.cli.story import counts, to_do, told, video_line
from jarkeeper.downloads.receipts import Outcome, Preparation, Summary, VideoReceipt
from jarkeeper.youtube.messages import Lent, Marked, WroteBack

DESTINATION = Path("there")
ARRIVED = VideoReceipt(
    "video000001", Outcome.DOWNLOADED, title="One", file="One [video000001].mp4", bytes=2048
)
PRIVATE = VideoReceipt(
    "video000002",
    Outcome.FAILED,
    failure="PRIVATE",
    explanation="the video is private",
    next_step="use the cookies of an account that was given access",
)
CURABLE = VideoReceipt(
    "video000003", Outcome.FAILED, failure="NETWORK", explanation="no network", curable=True
)


def summary(*receipts, stopped=None, **fields):
    outcomes = [receipt.outcome for receipt in receipts]
    return Summary(
        jar="youtube",
        videos=len(receipts),
        downloaded=outcomes.count(Outcome.DOWNLOADED),
        already_there=outcomes.count(Outcome.ALREADY_THERE),
        failed=outcomes.count(Outcome.FAILED),
        skipped=outcomes.count(Outcome.SKIPPED),
        bytes=sum(receipt.bytes for receipt in receipts),
        seconds=2.0,
        cookie_status="active jar worked",
        notices=(),
        stopped=stopped,
        receipts=receipts,
        **fields,
    )


@pytest.mark.parametrize(
    ("run", "code"),
    [
        (summary(ARRIVED), Exit.OK),
        (summary(), Exit.OK),
        (summary(ARRIVED, PRIVATE), Exit.FAILED),
        (summary(VideoReceipt("video000004", Outcome.SKIPPED)), Exit.FAILED),
        (summary(ARRIVED, stopped="YouTube asks for a pause"), Exit.STOPPED),
    ],
)
def test_the_exit_code_tells_how_a_run_went(run, code):
    assert exit_of_run(run) is code


def test_the_counts_leave_out_what_did_not_happen():
    assert (
        counts(summary(ARRIVED, PRIVATE)) == "1 downloaded, 1 failed; 2.0 KiB in 2.0 s, 1.0 KiB/s"
    )
    assert counts(summary(PRIVATE)) == "1 failed"
    assert counts(summary()) == "no videos"


def test_each_class_of_failure_is_explained_once():
    why = "YouTube got too many requests from this address"
    many = [
        VideoReceipt(f"video{n:06d}", Outcome.FAILED, failure="RATE_LIMIT_IP", explanation=why)
        for n in range(40)
    ]

    story = told(summary(*many, stopped="YouTube asks for a pause"))

    assert story == [
        ("failed", "YouTube got too many requests from this address, 40 videos", None),
        ("critical", "the run was stopped: YouTube asks for a pause", None),
    ]


def test_a_list_that_failed_is_not_counted_as_a_video():
    why = "there is no such channel, playlist or tab"
    ids = ("@a_handle_x", "PLaaaaaaaaaaaaaaaa", "user/abcdef", "video000001")
    receipts = [
        VideoReceipt(name, Outcome.FAILED, failure="BAD_TARGET", explanation=why) for name in ids
    ]

    assert told(summary(*receipts)) == [("failed", f"{why}, 1 video and 3 lists", None)]


@pytest.mark.parametrize(
    ("detail", "clause"),
    [
        ("", ""),
        (
            "ERROR: [youtube] video000003: Unable to download API page: "
            "HTTPSConnection(host='www.youtube.com', port=443): Failed to establish a new "
            "connection: [Errno 111] Connection refused (caused by TransportError('x'))",
            " (Connection refused)",
        ),
        (
            "ERROR: [youtube:tab] PLaaaaaaaaaaaaaaaa: Unable to download API page: ('Unable to "
            "connect to proxy', NewConnectionError(\"HTTPSConnection(host='127.0.0.1', port=9): "
            'Failed to establish a new connection: [Errno 111] Connection refused"))',
            " (Connection refused)",
        ),
        (
            "ERROR: [youtube] video000003: Unable to download API page: Failed to resolve "
            "'www.youtube.com' ([Errno -2] Name or service not known) (caused by …",
            " (Failed to resolve 'www.youtube.com' (Name or service not known))",
        ),
        (
            "('Connection aborted.', RemoteDisconnected('Remote end closed connection without "
            "response'))",
            " (Remote end closed connection without response)",
        ),
        (
            "unable to download video data: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
            "failed: unable to get local issuer certificate (_ssl.c:1006)",
            " (unable to get local issuer certificate (_ssl.c:1006))",
        ),
        ("x" * 200, f" ({'x' * 79}…)"),
        ("\x1b[2J\nclosed.", " (�[2J closed)"),
    ],
)
def test_a_broken_connection_says_what_broke_it(detail, clause):
    line = video_line(replace(CURABLE, detail=detail), DESTINATION)

    assert line == f"failed         video000003  NETWORK: no network{clause}"


@pytest.mark.parametrize(
    ("seconds", "when"),
    [(None, "again soon"), (0.7, "again in 0.7 s"), (90.0, "again in 90 s")],
)
def test_a_video_that_waits_for_its_next_try_says_how_long(seconds, when, capsys):
    Lines(DESTINATION).hear(replace(CURABLE, retry_seconds=seconds))
    Lines(DESTINATION, quiet=True).hear(replace(CURABLE, retry_seconds=seconds))

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"waiting        video000003  NETWORK: no network; {when}\n"


def test_the_first_thing_to_do_about_the_cookies_is_told():
    fine = Finding("authenticated", Severity.OK, "logged in", "nothing to do")
    soon = Finding("expires-soon", Severity.WARNING, "expires", "import fresh cookies")

    assert to_do(Preparation("youtube", "always", (), (fine,), "")) is None
    assert to_do(Preparation("youtube", "always", (), (fine, soon), "")) == "import fresh cookies"


def test_a_video_that_will_be_tried_again_has_no_line_before_the_end(capsys):
    lines = Lines(DESTINATION)

    lines.hear(CURABLE)
    lines.hear(ARRIVED)
    before = capsys.readouterr().out
    lines.finished(summary(CURABLE, ARRIVED))

    after = capsys.readouterr().out
    assert before == "downloaded     video000001    2.0 KiB  there/One [video000001].mp4\n"
    assert after == "failed         video000003  NETWORK: no network\n"


def test_what_happens_to_the_cookies_goes_to_standard_error(capsys):
    lines = Lines(DESTINATION)

    lines.hear(Lent("active", "a" * 32, "f" * 32, 7))
    lines.hear(Marked("active", "a" * 32, "dead", None, "COOKIE_ROTATED"))
    lines.hear(WroteBack("backup", "b" * 32, None))

    captured = capsys.readouterr()
    assert captured.out == ""
    first, second = captured.err.splitlines()
    assert first.startswith("warning: the active jar died during the run (COOKIE_ROTATED)")
    assert second == "ok: YouTube refreshed the backup jar, kept as generation bbbbbbbb"


def test_quiet_leaves_good_news_out(capsys):
    lines = Lines(DESTINATION, quiet=True)

    lines.hear(WroteBack("backup", "b" * 32, None))
    lines.hear(ARRIVED)
    lines.finished(summary(ARRIVED))

    captured = capsys.readouterr()
    assert captured.out + captured.err == ""


def test_a_title_cannot_steer_the_terminal(capsys):
    hostile = VideoReceipt(
        "video000005", Outcome.DOWNLOADED, title="x", file="\x1b[2J\u202ex.mp4", bytes=1
    )

    Lines(DESTINATION).hear(hostile)

    assert capsys.readouterr().out.endswith("there/�[2J�x.mp4\n")


def test_the_screen_fits_who_is_reading():
    assert type(choose_screen(DESTINATION, as_json=True, quiet=False)) is Silent
    assert type(choose_screen(DESTINATION, as_json=False, quiet=True)) is Lines
    assert type(choose_screen(DESTINATION, as_json=False, quiet=False)) is Lines
