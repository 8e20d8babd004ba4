from __future__ import annotations

from dataclasses import dataclass

import pytest

from standin.answers import ANSWERS
from standin.server import StandIn
from standin.viewer import look

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""yt-dlp leaves connections of refused requests open; here it runs in our own process."""

VIDEO = "abcdefghijk"
SIGN_IN = "use --cookies"


@dataclass(frozen=True)
class Case:
    """An answer, and the words of the row in the table of failures that it must match."""

    answer: str
    row: int
    says: tuple[str, ...]


CASES = (
    Case("private", 5, ("private video",)),
    Case("members_only", 6, ("members-only content", "join this channel")),
    Case("age_gate", 7, ("sign in to confirm your age", "inappropriate for some users", SIGN_IN)),
    Case("bot_check", 8, ("not a bot", "confirm you're not", SIGN_IN)),
    Case("captcha", 9, ("captcha challenge before playback",)),
    Case("rate_limit", 11, ("the current session has been rate-limited", "try again later")),
    Case("reload_page", 12, ("page needs to be reloaded",)),
    Case("ip_block", 13, ("all player responses are invalid", "your ip is likely being blocked")),
    Case("no_formats", 18, ("no video formats found",)),
    Case("only_images", 18, ("requested format is not available",)),
    Case("sabr", 18, ("no video formats found",)),
    Case("geo", 19, ("not made this video available in your country",)),
    Case("geo_claimed", 19, ("blocked it in your country",)),
    Case("drm", 20, ("drm protected",)),
    Case("premiere", 21, ("premieres in 3 hours",)),
    Case("upcoming", 21, ("live event will begin in 3 hours",)),
    Case("payment", 22, ("requires payment",)),
    Case("premium", 22, ("premium members",)),
    Case("removed", 23, ("has been removed",)),
    Case("terminated", 23, ("account associated with this video has been terminated",)),
    Case("copyright", 23, ("no longer available", "copyright")),
    Case("unavailable", 24, ("video unavailable", "this video is not available")),
    Case("incomplete", 25, ("failed to extract any player response",)),
    Case("unknown", 18, ("no video formats found",)),
)


def test_every_answer_is_tried() -> None:
    assert {case.answer for case in CASES} | {"ok", "live"} == ANSWERS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.answer)
def test_an_anonymous_visitor_gets_the_words_of_the_row(yt: StandIn, case: Case) -> None:
    yt.control.add_video(VIDEO, answer=case.answer)

    outcome = look(yt.proxy_url, VIDEO)

    for words in case.says:
        assert words in outcome.text


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.answer)
def test_a_visitor_with_a_live_session_gets_the_words_of_the_row(yt: StandIn, case: Case) -> None:
    cookies = yt.control.new_session("owner", age_verified=False)
    yt.control.add_video(VIDEO, answer=case.answer)

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies)

    expected = ("your account has been rate-limited",) if case.row == 11 else case.says
    for words in expected:
        assert words in outcome.text
    assert "no longer valid" not in outcome.warned


def test_a_hint_stands_in_a_warning_where_the_error_says_nothing(yt: StandIn) -> None:
    for answer, words in (
        ("sabr", "missing a url"),
        ("only_images", "only images are available"),
        ("unknown", "unknown error"),
        ("incomplete", "incomplete data received"),
    ):
        yt.control.add_video(VIDEO, answer=answer)

        outcome = look(yt.proxy_url, VIDEO)

        assert words in outcome.warned, answer


def test_a_geo_restriction_names_its_countries(yt: StandIn) -> None:
    yt.control.add_video(VIDEO, answer="geo", countries=["CH", "NO"])

    outcome = look(yt.proxy_url, VIDEO)

    assert outcome.error
    assert outcome.error.exc_info
    assert type(outcome.error.exc_info[1]).__name__ == "GeoRestrictedError"
    assert list(outcome.error.exc_info[1].countries) == ["CH", "NO"]


@pytest.mark.parametrize(
    ("answer", "video", "session"),
    [
        ("age_gate", {}, {"age_verified": True}),
        ("private", {"allowed": ["owner"]}, {}),
        ("payment", {"allowed": ["owner"]}, {}),
        ("members_only", {"handle": "@club"}, {"member_of": ["@club"]}),
        ("premium", {}, {"premium": True}),
    ],
)
def test_the_entitled_session_gets_in(
    yt: StandIn, answer: str, video: dict[str, object], session: dict[str, object]
) -> None:
    cookies = yt.control.new_session("owner", **session)
    yt.control.add_video(VIDEO, answer=answer, **video)

    assert look(yt.proxy_url, VIDEO, cookies=cookies).error is None
    assert look(yt.proxy_url, VIDEO).error is not None


def test_a_bot_check_can_be_for_anonymous_visitors_only(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner")
    yt.control.set_answer("bot_check", who="anonymous")

    assert look(yt.proxy_url, VIDEO, cookies=cookies).error is None
    assert "not a bot" in look(yt.proxy_url, VIDEO).text


def test_a_flagged_session_gets_the_bot_check_though_it_is_alive(yt: StandIn) -> None:
    flagged = yt.control.new_session("flagged", flagged=True)
    healthy = yt.control.new_session("healthy")

    outcome = look(yt.proxy_url, VIDEO, cookies=flagged)

    assert "not a bot" in outcome.text
    assert "LOGIN_INFO" in outcome.cookies
    assert look(yt.proxy_url, VIDEO, cookies=healthy).error is None
    assert look(yt.proxy_url, VIDEO).error is None


def test_a_rate_limited_account_is_told_so(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", rate_limited=True)

    assert "your account has been rate-limited" in look(yt.proxy_url, VIDEO, cookies=cookies).text
    assert look(yt.proxy_url, VIDEO).error is None


def test_the_newest_rule_wins_and_rules_can_be_lifted(yt: StandIn) -> None:
    yt.control.set_answer("removed", video_id=VIDEO)
    yt.control.set_answer("captcha", who="anonymous")

    first = look(yt.proxy_url, VIDEO)
    yt.control.clear_answers()

    assert "captcha" in first.text
    assert look(yt.proxy_url, VIDEO).error is None


def test_a_revoked_session_gets_the_answer_of_anonymous_visitors(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner")
    yt.control.add_video(VIDEO, answer="private", allowed=["owner"])
    yt.control.revoke("owner")

    outcome = look(yt.proxy_url, VIDEO, cookies=cookies)

    assert "private video" in outcome.text
    assert "likely been rotated" in outcome.warned


LISTS = "https://www.youtube.com/playlist?list="


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param(":ytfav", "login details are needed", id="row 4"),
        pytest.param(f"{LISTS}LL", "the playlist does not exist", id="row 15, liked"),
        pytest.param(f"{LISTS}WL", "the playlist does not exist", id="row 15, later"),
        pytest.param(f"{LISTS}PLnowhere00001", "the playlist does not exist", id="row 15, public"),
        pytest.param("https://www.youtube.com/@club/live", "not currently live", id="row 21"),
        pytest.param(f"{LISTS}PLunknown00001", "unknown error", id="row 25"),
        pytest.param("https://www.youtube.com/@club/shorts", "have a shorts tab", id="row 29, tab"),
        pytest.param("https://www.youtube.com/@lost/videos", "home page", id="row 29, home"),
        pytest.param(
            "https://www.youtube.com/@nowhere/videos", "failed to resolve url", id="row 29, nowhere"
        ),
    ],
)
def test_a_list_that_cannot_be_had_says_why(yt: StandIn, url: str, says: str) -> None:
    yt.control.add_playlist("PLunknown00001", [VIDEO], fault="unknown")
    yt.control.add_channel("@club", [VIDEO])
    yt.control.add_channel("@lost", [VIDEO], fault="home")

    outcome = look(yt.proxy_url, url, extract_flat=True)

    assert says in outcome.text


def test_an_incomplete_playlist_is_warned_about(yt: StandIn) -> None:
    yt.control.add_playlist("PLpartial00001", [VIDEO], fault="incomplete")

    outcome = look(yt.proxy_url, f"{LISTS}PLpartial00001", extract_flat=True)

    assert outcome.error
    assert "incomplete yt initial data" in outcome.warned


def test_a_blocked_page_stops_a_signed_in_playlist(yt: StandIn) -> None:
    cookies = yt.control.new_session("owner", liked=[VIDEO])
    yt.control.fault("list", status=429)

    outcome = look(yt.proxy_url, f"{LISTS}LL", cookies=cookies, extract_flat=True)

    assert "playlists that require authentication may not extract correctly" in outcome.text
