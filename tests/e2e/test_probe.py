"""The probe against the stand-in: who is logged in, as YouTube itself says."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from jarkeeper.errors import JarkeeperError
from jarkeeper.jar import Jar, parse_jar
from jarkeeper.settings import Settings
from jarkeeper.youtube.probe import probe
from standin.server import StandIn

SITES = ("youtube.com",)
CANARY = "canary-7f3a"


def jar_of(text: str) -> Jar:
    return parse_jar(text.encode(), sites=SITES).jar


def values(jar: Jar) -> dict[str, str]:
    return {cookie.name: cookie.value for cookie in jar.cookies}


def test_a_live_session_is_told_with_its_account(youtube: StandIn, settings: Settings) -> None:
    jar = jar_of(youtube.control.new_session("one", user_id="1001"))

    probed = probe(jar, settings)

    assert (probed.alive, probed.account, probed.jar) == (True, "1001", jar)
    (request,) = youtube.control.requests()
    assert (request.path, request.session) == ("/", "one")
    assert "1001" not in repr(probed)


def test_two_accounts_are_told_apart(youtube: StandIn, settings: Settings) -> None:
    accounts = [
        probe(jar_of(youtube.control.new_session(name, user_id=account)), settings).account
        for name, account in (("one", "1001"), ("again", "1001"), ("other", "1002"))
    ]

    assert accounts == ["1001", "1001", "1002"]


@pytest.mark.parametrize("end", ["revoke", "expire", "rotate"])
def test_a_session_that_ended_is_told_and_its_jar_is_left_as_it_was(
    youtube: StandIn, settings: Settings, end: str
) -> None:
    jar = jar_of(youtube.control.new_session("one", grace_seconds=0))
    getattr(youtube.control, end)("one")

    probed = probe(jar, settings)

    assert (probed.alive, probed.account, probed.jar) == (False, None, jar)


def test_cookies_without_a_login_are_a_visitors(youtube: StandIn, settings: Settings) -> None:
    jar = jar_of(".youtube.com\tTRUE\t/\tTRUE\t0\tSOCS\tCAI\n")

    assert probe(jar, settings).alive is False


def test_a_session_that_is_renewed_by_the_question_is_given_back_renewed(
    youtube: StandIn, settings: Settings
) -> None:
    jar = jar_of(youtube.control.new_session("one", rotate_every=1, grace_seconds=0))

    first = probe(jar, settings)
    second = probe(first.jar, settings)

    assert first.alive
    assert second.alive
    now = youtube.control.session("one").values
    assert values(second.jar)["LOGIN_INFO"] == now["LOGIN_INFO"] != values(jar)["LOGIN_INFO"]
    assert values(second.jar)["SID"] == values(jar)["SID"]
    assert {cookie.name for cookie in second.jar.cookies} == {c.name for c in jar.cookies}
    assert [c.http_only for c in second.jar.cookies] == [c.http_only for c in jar.cookies]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"status": 429}, "refused to answer, HTTP status 429"),
        ({"status": 503}, "refused to answer, HTTP status 503"),
        ({"reset": True}, "no connection"),
        ({"cut_after": 50}, "no connection"),
        ({"malformed": True}, "does not say whether"),
    ],
)
def test_an_answer_that_says_nothing_is_an_error_and_no_verdict(
    youtube: StandIn, settings: Settings, fault: dict[str, object], error: str
) -> None:
    jar = jar_of(youtube.control.new_session("one", canary=CANARY))
    youtube.control.fault("other", **fault)  # type: ignore[arg-type]

    with pytest.raises(JarkeeperError, match=error) as caught:
        probe(jar, settings)

    assert caught.value.hint
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert CANARY not in str(caught.value)


def test_no_network_and_no_trust_are_told_as_no_connection(
    youtube: StandIn, settings: Settings
) -> None:
    jar = jar_of(youtube.control.new_session("one"))

    for broken in (
        replace(settings, proxy="http://127.0.0.1:9"),
        replace(settings, ca_file=None),
    ):
        with pytest.raises(JarkeeperError, match="no connection"):
            probe(jar, broken)


def test_a_proxy_that_is_no_setting_is_not_used(
    youtube: StandIn, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    jar = jar_of(youtube.control.new_session("one"))
    monkeypatch.setenv("https_proxy", youtube.proxy_url)
    look_up = socket.getaddrinfo

    def loopback_only(host: str, *rest: object, **more: object) -> object:
        if host.endswith("youtube.com"):
            raise socket.gaierror("there is no network here")
        return look_up(host, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", loopback_only)

    with pytest.raises(JarkeeperError, match="no connection"):
        probe(jar, replace(settings, proxy=None))

    assert youtube.control.requests(connects=True) == []


def test_the_environment_is_left_as_it_was(youtube: StandIn, settings: Settings) -> None:
    jar = jar_of(youtube.control.new_session("one"))
    before = dict(os.environ)

    probe(jar, settings)

    assert dict(os.environ) == before
