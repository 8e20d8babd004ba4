"""The rules of tasks and flows that need no server."""

from __future__ import annotations

import pytest
from prefect.cache_policies import NO_CACHE
from prefect.states import Completed, Failed

from flows.download import DownloadFailed, final_state
from jarkeeper.downloads.receipts import Outcome, Summary, Video, VideoReceipt
from jarkeeper.youtube.policy import RetryPolicy
from tasks.expand import expand
from tasks.fetch import chunks, fetch
from tasks.finish import finish
from tasks.prepare import prepare
from tasks.report import escaped, markdown_of, report, sentence_of
from tasks.retries import CurableFailures, is_curable, with_retries


def videos(count):
    return tuple(Video(f"video{number:06d}") for number in range(count))


def summary(**fields):
    nothing = {"downloaded": 0, "already_there": 0, "failed": 0, "skipped": 0, "bytes": 0}
    words = {"cookie_status": "active jar worked", "notices": (), "stopped": None}
    given = {"jar": "youtube", "videos": 4, "seconds": 1.0, **nothing, **words, **fields}
    return Summary(**given)


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (0, []),
        (1, [1]),
        (10, [1] * 10),
        (11, [2] * 5 + [1]),
        (500, [50] * 10),
        (501, [50] * 10 + [1]),
        (10_000, [50] * 200),
    ],
)
def test_ten_tasks_at_most_until_chunks_hold_fifty_videos(count, sizes):
    parts = chunks(videos(count))

    assert [len(part) for part in parts] == sizes
    assert sum(parts, ()) == videos(count)


@pytest.mark.parametrize("task", [prepare, expand, fetch, finish, report])
def test_no_task_stores_its_result_or_hashes_its_inputs(task):
    assert task.persist_result is False
    assert task.cache_policy == NO_CACHE


def test_retries_wait_as_the_policy_says():
    task = with_retries(fetch, RetryPolicy((10.0, 30.0, 90.0)))

    assert task.retries == 3
    assert task.retry_delay_seconds == [10.0, 30.0, 90.0]
    assert task.retry_jitter_factor == RetryPolicy(()).jitter


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (Failed(data=CurableFailures({"NETWORK": 2})), True),
        (Failed(data=ValueError("x")), False),
        (Completed(data=1), False),
    ],
)
def test_only_curable_failures_are_tried_again(state, expected):
    assert is_curable(fetch, None, state) is expected


def test_curable_failures_tell_counts_by_class_and_nothing_else():
    assert str(CurableFailures({"NETWORK": 1, "RATE_LIMIT_IP": 2})) == (
        "to be tried again: 2 RATE_LIMIT_IP, 1 NETWORK"
    )


@pytest.mark.parametrize(
    ("fields", "name", "sentence"),
    [
        ({"downloaded": 4}, "Completed", "4 of 4 videos there"),
        (
            {"downloaded": 1, "already_there": 3},
            "Completed",
            "4 of 4 videos there; 3 of them from earlier",
        ),
        (
            {"downloaded": 1, "failed": 3, "failures": {"GEO": 1, "PRIVATE": 2}},
            "PartlyDone",
            "1 of 4 videos there; 3 failed: 2 PRIVATE, 1 GEO",
        ),
        (
            {"failed": 4, "failures": {"REMOVED": 4}},
            "Failed",
            "0 of 4 videos there; 4 failed: 4 REMOVED",
        ),
        (
            {"downloaded": 3, "skipped": 1, "stopped": "YouTube asks for a pause"},
            "Failed",
            "3 of 4 videos there; 1 skipped; stopped: YouTube asks for a pause",
        ),
    ],
)
def test_a_run_ends_in_a_state_and_a_sentence(fields, name, sentence):
    state = final_state(summary(**fields))

    assert (state.name, state.message) == (name, sentence)


def test_a_failed_run_still_gives_its_summary():
    failed = summary(failed=4, failures={"REMOVED": 4})

    with pytest.raises(DownloadFailed) as refusal:
        final_state(failed).result()

    assert refusal.value.summary is failed


def test_the_summary_tells_the_cookies_story_and_what_to_do_once():
    receipts = tuple(
        VideoReceipt(
            video.id,
            Outcome.FAILED,
            failure="PRIVATE",
            explanation="the video is private",
            next_step="use an account with access",
        )
        for video in videos(2)
    )
    text = markdown_of(
        summary(receipts=receipts, notices=("the active jar died",), uses={"backup": 2})
    )

    assert "**Cookies:** active jar worked" in text
    assert "the active jar died" in text
    assert "2 with the backup cookies" in text
    assert text.count("use an account with access") == 1


def test_foreign_text_cannot_become_markup():
    assert escaped("[x](javascript:1)\n# <b>") == r"\[x\]\(javascript:1\) \# \<b\>"
    assert "\u202e" not in escaped("a\u202eb")


def test_a_sentence_counts_one_video_as_one():
    assert sentence_of(summary(videos=1, downloaded=1)) == "1 of 1 video there"
