from __future__ import annotations

from pathlib import Path

import pytest

from jarkeeper.slots import SlotState
from jarkeeper.youtube.extract import observe_error
from jarkeeper.youtube.failures import Classification, classify
from standin.server import StandIn
from standin.viewer import look

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""yt-dlp leaves connections of refused requests open; here it runs in our own process."""

VIDEO = "abcdefghijk"
LISTS = "https://www.youtube.com/playlist?list="
ROTATED = "COOKIE_ROTATED"


def judge(
    yt: StandIn, url: str = VIDEO, *, cookies: str | None = None, **options: object
) -> Classification:
    outcome = look(yt.proxy_url, url, cookies=cookies, **options)  # type: ignore[arg-type]
    return classify(
        observe_error(
            outcome.error,
            warnings=tuple(outcome.warnings),
            used_cookies=cookies is not None,
            jar_alive="LOGIN_INFO" in outcome.cookies if cookies is not None else None,
            list_id=url.removeprefix(LISTS) if url.startswith(LISTS) else None,
        ),
        succeeded=outcome.error is None,
    )


ANSWERS = {
    "private": (5, "PRIVATE"),
    "members_only": (6, "MEMBERS_ONLY"),
    "age_gate": (7, "AGE_GATE"),
    "bot_check": (8, "BOT_CHECK"),
    "captcha": (9, "CAPTCHA"),
    "rate_limit": (11, "RATE_LIMIT_GUEST"),
    "reload_page": (12, "ACCOUNT_FLAGGED"),
    "ip_block": (13, "IP_BLOCK"),
    "no_formats": (18, "NO_FORMATS"),
    "only_images": (18, "NO_FORMATS"),
    "sabr": (18, "NO_FORMATS"),
    "geo": (19, "GEO"),
    "geo_claimed": (19, "GEO"),
    "drm": (20, "DRM"),
    "premiere": (21, "NOT_YET"),
    "upcoming": (21, "NOT_YET"),
    "payment": (22, "PAID"),
    "premium": (22, "PAID"),
    "removed": (23, "REMOVED"),
    "terminated": (23, "REMOVED"),
    "copyright": (23, "REMOVED"),
    "unavailable": (24, "UNAVAILABLE"),
    "incomplete": (25, "EXTRACT_TRANSIENT"),
    "unknown": (25, "EXTRACT_TRANSIENT"),
}
WITH_A_LOGIN = {
    **ANSWERS,
    "rate_limit": (10, "RATE_LIMIT_ACCOUNT"),
}
COOLING = {"BOT_CHECK", "CAPTCHA", "RATE_LIMIT_ACCOUNT"}


@pytest.mark.parametrize(("answer", "expected"), ANSWERS.items(), ids=ANSWERS.keys())
def test_an_answer_to_a_stranger_has_its_class_and_touches_no_slot(yt, answer, expected):
    yt.control.add_video(VIDEO, answer=answer)

    outcome = judge(yt)

    assert (outcome.row, outcome.failure) == expected
    assert outcome.slot_verdict is None


@pytest.mark.parametrize(("answer", "expected"), WITH_A_LOGIN.items(), ids=WITH_A_LOGIN.keys())
def test_an_answer_to_a_live_login_has_its_class_and_cools_a_slot_at_most(yt, answer, expected):
    cookies = yt.control.new_session("owner", age_verified=False)
    yt.control.add_video(VIDEO, answer=answer)

    outcome = judge(yt, cookies=cookies)

    assert (outcome.row, outcome.failure) == expected
    assert outcome.slot_verdict == (SlotState.COOLING if outcome.failure in COOLING else None)


@pytest.mark.parametrize("answer", ["private", "age_gate", "bot_check", "removed"])
def test_whatever_a_revoked_login_is_told_the_login_is_dead(yt, answer):
    cookies = yt.control.new_session("owner")
    yt.control.add_video(VIDEO, answer=answer)
    yt.control.revoke("owner")

    outcome = judge(yt, cookies=cookies)

    assert (outcome.row, outcome.failure, outcome.slot_verdict) == (3, ROTATED, SlotState.DEAD)


def test_a_download_that_succeeds_with_a_revoked_login_condemns_its_slot(yt):
    cookies = yt.control.new_session("owner")
    yt.control.revoke("owner")

    outcome = judge(yt, cookies=cookies)

    assert outcome.failure is None
    assert (outcome.row, outcome.slot_verdict, outcome.reason) == (3, SlotState.DEAD, ROTATED)


def test_a_download_that_succeeds_with_a_live_login_means_nothing_else(yt):
    cookies = yt.control.new_session("owner")

    assert judge(yt, cookies=cookies) == Classification()


def test_the_countries_of_a_restriction_are_kept(yt):
    yt.control.add_video(VIDEO, answer="geo", countries=["CH", "NO"])

    assert judge(yt).countries == ("CH", "NO")


@pytest.mark.parametrize(
    ("fault", "expected", "status"),
    [
        ({"endpoint": "player", "status": 429}, "RATE_LIMIT_IP", 429),
        ({"endpoint": "all", "status": 429}, "RATE_LIMIT_IP", 429),
        ({"endpoint": "player", "status": 403}, "MEDIA_FORBIDDEN", 403),
        ({"endpoint": "player", "status": 500}, "EXTRACT_TRANSIENT", 500),
        ({"endpoint": "player", "status": 503}, "EXTRACT_TRANSIENT", 503),
        ({"endpoint": "player", "status": 404}, "NO_FORMATS", 404),
        ({"endpoint": "player", "malformed": True}, "EXTRACT_TRANSIENT", None),
        ({"endpoint": "player", "reset": True}, "NETWORK", None),
        ({"endpoint": "media", "status": 403}, "MEDIA_FORBIDDEN", 403),
        ({"endpoint": "media", "status": 429}, "RATE_LIMIT_IP", 429),
        ({"endpoint": "media", "status": 404}, "MEDIA_FORBIDDEN", 404),
        ({"endpoint": "media", "cut_after": 300_000}, "NETWORK", None),
        ({"endpoint": "media", "stall_after": 300_000}, "NETWORK", None),
        ({"endpoint": "media", "reset": True}, "NETWORK", None),
        ({"endpoint": "media", "reset": True, "cut_after": 300_000}, "NETWORK", None),
    ],
    ids=str,
)
def test_a_fault_on_the_way_has_its_class_whoever_asks(yt, tmp_path, fault, expected, status):
    cookies = yt.control.new_session("owner")
    yt.control.fault(**fault)
    options = {"folder": tmp_path, "socket_timeout": 0.5}

    strangers, owners = judge(yt, **options), judge(yt, cookies=cookies, **options)

    assert (strangers.failure, strangers.status) == (expected, status)
    assert (owners.failure, owners.slot_verdict) == (expected, None)


@pytest.mark.parametrize("use", ["dead proxy", "no trust"])
def test_a_broken_way_out_is_the_networks_fault(yt, monkeypatch, use):
    if use == "no trust":
        monkeypatch.delenv("SSL_CERT_FILE")
        outcome = judge(yt)
    else:
        outcome = judge(yt, proxy="http://127.0.0.1:9")

    assert outcome.failure == "NETWORK"


@pytest.mark.parametrize(
    ("url", "row", "expected"),
    [
        (":ytfav", 4, "COOKIE_MISSING"),
        (f"{LISTS}LL", 15, "NOT_AUTHENTICATED"),
        (f"{LISTS}WL", 15, "NOT_AUTHENTICATED"),
        (f"{LISTS}PLnowhere00001", 15, "NOT_FOUND"),
        ("https://www.youtube.com/@club/live", 21, "NOT_YET"),
        (f"{LISTS}PLunknown00001", 25, "EXTRACT_TRANSIENT"),
        ("https://www.youtube.com/@club/shorts", 29, "BAD_TARGET"),
        ("https://www.youtube.com/@lost/videos", 29, "BAD_TARGET"),
        ("https://www.youtube.com/@nowhere/videos", 29, "BAD_TARGET"),
    ],
)
def test_a_list_that_cannot_be_had_has_its_class(yt, url, row, expected):
    yt.control.add_playlist("PLunknown00001", [VIDEO], fault="unknown")
    yt.control.add_channel("@club", [VIDEO])
    yt.control.add_channel("@lost", [VIDEO], fault="home")

    outcome = judge(yt, url, extract_flat=True)

    assert (outcome.row, outcome.failure, outcome.slot_verdict) == (row, expected, None)


def test_the_own_list_of_a_login_that_expired_silently_condemns_its_slot(yt):
    cookies = yt.control.new_session("owner", liked=[VIDEO])
    yt.control.expire("owner")

    outcome = judge(yt, f"{LISTS}LL", cookies=cookies, extract_flat=True)

    assert (outcome.row, outcome.failure) == (15, "NOT_AUTHENTICATED")
    assert outcome.slot_verdict is SlotState.DEAD


def test_a_blocked_page_of_a_list_is_no_fault_of_the_login(yt):
    cookies = yt.control.new_session("owner", liked=[VIDEO])
    yt.control.fault("list", status=429)

    outcome = judge(yt, f"{LISTS}LL", cookies=cookies, extract_flat=True)

    assert (outcome.row, outcome.failure, outcome.slot_verdict) == (14, "WEBPAGE_BLOCKED", None)


def test_a_directory_that_cannot_be_made_is_a_local_fault(yt, tmp_path: Path):
    (tmp_path / "file").write_text("")

    outcome = judge(yt, folder=tmp_path / "file" / "folder")

    assert (outcome.row, outcome.failure) == (28, "LOCAL")


def test_ffmpeg_that_fails_is_a_local_fault(yt, tmp_path: Path):
    broken = tmp_path / "ffmpeg"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    yt.control.add_video(VIDEO, separate=True)

    outcome = judge(yt, folder=tmp_path / "videos", ffmpeg_location=str(broken))

    assert (outcome.row, outcome.failure) == (28, "LOCAL")
