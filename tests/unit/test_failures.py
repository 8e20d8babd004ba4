from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jarkeeper.slots import SlotState
from jarkeeper.youtube.failures import (
    OPEN_LIMIT,
    TABLE,
    UNKNOWN,
    Classification,
    FailureClass,
    Observation,
    classify,
    normalise,
    row_of,
)

HINT = (
    " Use --cookies-from-browser or --cookies for the authentication. See "
    "https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp for how to manually "
    "pass cookies. Also see https://github.com/yt-dlp/yt-dlp/wiki/Extractors"
    "#exporting-youtube-cookies for tips on effectively exporting YouTube cookies"
)
BUG = (
    "; please report this issue on https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the "
    "appropriate issue template. Confirm you are on the latest version using yt-dlp -U"
)
RATE_LIMITED = (
    " has been rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep` to "
    "add a delay between video requests to avoid exceeding the rate limit. For more information, "
    "refer to https://github.com/yt-dlp/yt-dlp/wiki/Extractors"
    "#this-content-isnt-available-try-again-later"
)
ROTATED = (
    "[youtube] The provided YouTube account cookies are no longer valid. They have likely been "
    "rotated in the browser as a security measure. For tips on how to effectively export YouTube "
    "cookies, refer to https://github.com/yt-dlp/yt-dlp/wiki/Extractors#exporting-youtube-cookies ."
)
NO_RUNTIME = (
    "[youtube] No supported JavaScript runtime could be found. Only deno is enabled by default; to "
    "use another runtime add --js-runtimes RUNTIME[:PATH] to your command/config."
)
NO_FORMATS = "ERROR: [youtube] dQw4w9WgXcQ: No video formats found!" + BUG
API_429 = "[youtube] dQw4w9WgXcQ: Unable to download API page: HTTP Error 429: Too Many Requests"

TEXTS: list[tuple[int, str, str]] = [
    (1, "COOKIE_FORMAT", "'cookies.txt' does not look like a Netscape format cookies file"),
    (1, "COOKIE_FORMAT", "ERROR: Cookies file must be Netscape formatted, not JSON. See  https://"),
    (1, "COOKIE_FORMAT", "failed to load cookies"),
    (1, "COOKIE_FORMAT", "ERROR: invalid length 6"),
    (2, "COOKIE_IO", "ERROR: [Errno 13] Permission denied: '/home/me/cookies.txt'"),
    (2, "COOKIE_IO", "failed to load cookies: [Errno 13] Permission denied: 'my-cookies'"),
    (
        4,
        "COOKIE_MISSING",
        "[youtube:tab] Login details are needed to download this content." + HINT,
    ),
    (5, "PRIVATE", "Private video. Sign in if you've been granted access to this video." + HINT),
    (5, "PRIVATE", "Private video. Sign in if you’ve been granted access to this video"),
    (5, "PRIVATE", "This video is private"),
    (
        6,
        "MEMBERS_ONLY",
        "Join this channel to get access to members-only content like this video, and other perks.",
    ),
    (
        6,
        "MEMBERS_ONLY",
        "This video is available to this channel’s members on level: Gold (or any higher level). "
        "Join this channel to get access to members-only content and other exclusive perks.",
    ),
    (6, "MEMBERS_ONLY", "This video is available to this channel's members on level: Gold"),
    (
        7,
        "AGE_GATE",
        "Sign in to confirm your age. This video may be inappropriate for some users." + HINT,
    ),
    (7, "AGE_GATE", "This video is age-restricted and only available on YouTube"),
    (8, "BOT_CHECK", "Sign in to confirm you’re not a bot." + HINT),
    (8, "BOT_CHECK", "Sign in to confirm you're not a bot. This helps protect our community."),
    (8, "BOT_CHECK", "Please confirm you’re not a robot"),
    (
        9,
        "CAPTCHA",
        "Video unavailable. YouTube is requiring a captcha challenge before playback",
    ),
    (
        10,
        "RATE_LIMIT_ACCOUNT",
        "This content isn’t available, try again later. Your account" + RATE_LIMITED,
    ),
    (
        11,
        "RATE_LIMIT_GUEST",
        "This content isn't available, try again later. The current session" + RATE_LIMITED,
    ),
    (11, "RATE_LIMIT_GUEST", "This content isn’t available, try again later."),
    (12, "ACCOUNT_FLAGGED", "The page needs to be reloaded."),
    (
        13,
        "IP_BLOCK",
        "All player responses are invalid. Your IP is likely being blocked by Youtube",
    ),
    (
        14,
        "WEBPAGE_BLOCKED",
        "Playlists that require authentication may not extract correctly without a successful "
        'webpage download. If you are not downloading private content, pass "--extractor-args"',
    ),
    (15, "NOT_FOUND", "[youtube:tab] PLabc: YouTube said: The playlist does not exist."),
    (16, "RATE_LIMIT_IP", "unable to download video data: HTTP Error 429: Too Many Requests"),
    (16, "RATE_LIMIT_IP", "Unable to download API page: HTTP Error 429: Too Many Requests"),
    (17, "MEDIA_FORBIDDEN", "unable to download video data: HTTP Error 403: Forbidden"),
    (17, "MEDIA_FORBIDDEN", "unable to download video data: HTTP Error 404: Not Found"),
    (17, "MEDIA_FORBIDDEN", "fragment 17 not found, unable to continue"),
    (18, "NO_FORMATS", NO_FORMATS),
    (18, "NO_FORMATS", "Requested format is not available. Use --list-formats for a list"),
    (18, "NO_FORMATS", "Only images are available for download. use --list-formats to see them"),
    (18, "NO_FORMATS", "Some web client https formats have been skipped as they are missing a URL"),
    (18, "NO_FORMATS", "YouTube is forcing SABR streaming for this client"),
    (
        19,
        "GEO",
        "The uploader has not made this video available in your country\nThis video is available "
        "in Germany.\nYou might want to use a VPN or a proxy server (with --proxy) to workaround.",
    ),
    (
        19,
        "GEO",
        "Video unavailable. This video contains content from Acme, who has blocked it in your "
        "country on copyright grounds",
    ),
    (20, "DRM", "This video is DRM protected"),
    (21, "NOT_YET", "Premieres in 3 hours"),
    (21, "NOT_YET", "This live event will begin in 20 minutes."),
    (21, "NOT_YET", "Premiere will begin shortly"),
    (21, "NOT_YET", "The channel is not currently live"),
    (22, "PAID", "This video requires payment to watch."),
    (22, "PAID", "This video is only available to Music Premium members"),
    (23, "REMOVED", "Video unavailable. This video has been removed by the uploader"),
    (
        23,
        "REMOVED",
        "Video unavailable. This video is no longer available because the YouTube account "
        "associated with this video has been terminated.",
    ),
    (23, "REMOVED", "This account has been terminated for a violation of the Terms of Service"),
    (23, "REMOVED", "This video is no longer available due to a copyright claim by Acme Music"),
    (24, "UNAVAILABLE", "Video unavailable. This video is not available"),
    (24, "UNAVAILABLE", "This content isn’t available."),
    (25, "EXTRACT_TRANSIENT", "Failed to extract any player response" + BUG),
    (25, "EXTRACT_TRANSIENT", "Incomplete data received"),
    (25, "EXTRACT_TRANSIENT", "Incomplete yt initial data received" + BUG),
    (25, "EXTRACT_TRANSIENT", "YouTube said: Unknown error."),
    (25, "EXTRACT_TRANSIENT", "\r[download] Got error: HTTP Error 503: Service Unavailable"),
    (25, "EXTRACT_TRANSIENT", "An extractor error has occurred. (caused by KeyError('X'))" + BUG),
    (25, "EXTRACT_TRANSIENT", "Unable to download API page: HTTP Error 503: Service Unavailable"),
    (
        26,
        "NETWORK",
        "Unable to download webpage: HTTPSConnection(host='www.youtube.com', port=443): Failed to "
        "resolve 'www.youtube.com' ([Errno -2] Name or service not known) (caused by "
        "TransportError(\"Failed to resolve 'www.youtube.com'\"))",
    ),
    (
        26,
        "NETWORK",
        "Unable to download webpage: HTTPSConnection(host='www.youtube.com', port=443): Failed to "
        "establish a new connection: [Errno 111] Connection refused",
    ),
    (
        26,
        "NETWORK",
        "\r[download] Got error: HTTPSConnectionPool(host='rr1.googlevideo.com', port=443): Read "
        "timed out.. Giving up after 1 retries",
    ),
    (26, "NETWORK", "\r[download] Got error: 12345 bytes read, 67890 more expected"),
    (
        26,
        "NETWORK",
        "('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))",
    ),
    (
        26,
        "NETWORK",
        "('Connection aborted.', RemoteDisconnected('Remote end closed connection without "
        "response'))",
    ),
    (26, "NETWORK", "[SSL: UNEXPECTED_EOF_WHILE_READING] EOF occurred in violation of protocol"),
    (
        26,
        "NETWORK",
        "Unable to download webpage: ('Unable to connect to proxy', OSError('Tunnel connection "
        "failed: 407 Proxy Authentication Required'))",
    ),
    (
        26,
        "NETWORK",
        "unable to download video data: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify "
        "failed: unable to get local issuer certificate (_ssl.c:1006)",
    ),
    (26, "NETWORK", "content too short (expected 100 bytes and served 50)"),
    (27, "CONFIG", NO_RUNTIME),
    (28, "DISK_FULL", "unable to write data: [Errno 28] No space left on device"),
    (28, "DISK_FULL", "Unable to download video: [Errno 122] Disk quota exceeded"),
    (28, "DISK_FULL", "unable to open for writing: [Errno 30] Read-only file system: 'x.part'"),
    (28, "LOCAL", "Postprocessing: Error opening output files: Invalid data found"),
    (28, "LOCAL", "Postprocessing: ffprobe and ffmpeg not found. Please install"),
    (28, "LOCAL", "You have requested merging of multiple formats but ffmpeg is not installed."),
    (28, "LOCAL", "unable to open for writing: [Errno 13] Permission denied: 'a [id].mp4.part'"),
    (28, "LOCAL", "Unable to create directory: [Errno 13] Permission denied: '/videos'"),
    (28, "LOCAL", "Unable to download video: [Errno 24] Too many open files"),
    (29, "BAD_TARGET", "[youtube:tab] @someone: This channel does not have a streams tab"),
    (
        29,
        "BAD_TARGET",
        "The channel/playlist does not exist and the URL redirected to youtube.com home page",
    ),
    (29, "BAD_TARGET", "Failed to resolve url (does the playlist exist?)"),
]


def judge(text: str = "", **seen: object) -> Classification:
    return classify(Observation(text=text, **seen), succeeded=False)  # type: ignore[arg-type]


def dressings(text: str) -> list[str]:
    straight = text.replace("’", "'")
    return [
        text,
        straight,
        straight.replace("'", "’"),
        text.upper(),
        f"\x1b[0;31mERROR:\x1b[0m [youtube] dQw4w9WgXcQ: {text}",
        f"ERROR: [youtube:tab] @some.one: {text}",
    ]


@pytest.mark.parametrize(
    ("number", "name", "text"), TEXTS, ids=[f"{n}-{c}-{t[:30]}" for n, c, t in TEXTS]
)
def test_a_text_belongs_to_its_row(number, name, text):
    outcomes = {judge(dressed) for dressed in (text, f"ERROR: {text}")}

    assert {(outcome.row, outcome.failure) for outcome in outcomes} == {(number, name)}


@pytest.mark.parametrize(
    ("number", "name", "text"), [case for case in TEXTS if case[0] in range(4, 26)]
)
def test_a_text_of_youtube_is_known_in_any_dress(number, name, text):
    outcomes = [judge(dressed) for dressed in dressings(text.removeprefix("ERROR: "))]

    assert {(outcome.row, outcome.failure) for outcome in outcomes} == {(number, name)}


def test_every_row_has_a_text_here_or_is_read_from_warnings():
    assert {number for number, _, _ in TEXTS} | {3} == set(range(1, 30))
    named = {name for _, name, _ in TEXTS} | {
        "COOKIE_ROTATED",
        "NOT_AUTHENTICATED",
        "OPEN_LIMIT",
        "UNKNOWN",
    }
    assert named == set(FailureClass)


@pytest.mark.parametrize("pattern", [(row, p) for row in TABLE for p in row.patterns], ids=str)
def test_every_pattern_is_written_as_texts_are_normalised(pattern):
    _, text = pattern

    assert text == text.casefold()
    assert "\u2019" not in text


def test_the_table_is_in_order_and_complete():
    numbers = [row.number for row in TABLE]

    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(1, 30))
    assert [row.failure for row in TABLE] == list(dict.fromkeys(row.failure for row in TABLE))
    assert {row.failure for row in (*TABLE, OPEN_LIMIT, UNKNOWN)} == set(FailureClass)


def test_only_the_rows_of_the_document_touch_a_slot():
    dead = {row.number for row in TABLE if row.slot_verdict is SlotState.DEAD}
    cooling = {row.number for row in TABLE if row.slot_verdict is SlotState.COOLING}
    others = {row.slot_verdict for row in (*TABLE, OPEN_LIMIT, UNKNOWN)} - {
        SlotState.DEAD,
        SlotState.COOLING,
    }

    assert dead == {1, 3, 4, 15}
    assert cooling == {8, 9, 10}
    assert others == {None}
    assert row_of(FailureClass.NOT_FOUND).slot_verdict is None


@pytest.mark.parametrize(
    ("failure", "minutes"),
    [
        (FailureClass.BOT_CHECK, 60),
        (FailureClass.CAPTCHA, 24 * 60),
        (FailureClass.RATE_LIMIT_ACCOUNT, 60),
    ],
)
def test_a_cooling_slot_rests_as_long_as_its_row_says(failure, minutes):
    assert row_of(failure).cool_minutes == minutes


def test_only_cooling_rows_have_minutes():
    assert all(
        (row.cool_minutes is not None) == (row.slot_verdict is SlotState.COOLING)
        for row in (*TABLE, UNKNOWN)
    )


@pytest.mark.parametrize("row", [*TABLE, UNKNOWN], ids=lambda row: row.failure)
def test_every_row_tells_a_user_what_happened_and_what_to_do(row):
    for words in (row.explanation, row.next_step):
        assert 5 < len(words) < 120
        assert not words.endswith(".")
        assert "\n" not in words
    assert row.patterns or row is UNKNOWN
    assert row_of(row.failure) is row


def test_what_is_final_is_not_curable():
    curable = {row.failure for row in (*TABLE, UNKNOWN) if row.curable}

    assert curable == {
        FailureClass.WEBPAGE_BLOCKED,
        FailureClass.RATE_LIMIT_IP,
        FailureClass.MEDIA_FORBIDDEN,
        FailureClass.NO_FORMATS,
        FailureClass.EXTRACT_TRANSIENT,
        FailureClass.NETWORK,
        FailureClass.LOCAL,
        FailureClass.UNKNOWN,
    }


def test_what_would_be_hammering_stops_the_run():
    assert {row.failure for row in (*TABLE, UNKNOWN) if row.stops_run} == {
        FailureClass.BOT_CHECK,
        FailureClass.CAPTCHA,
        FailureClass.RATE_LIMIT_GUEST,
        FailureClass.IP_BLOCK,
        FailureClass.DISK_FULL,
    }


ORDER = {
    "private before sign in": ("Private video. Sign in to confirm your age", "PRIVATE"),
    "private before bot check": ("This video is private. confirm you’re not a bot", "PRIVATE"),
    "members before sign in": ("Join this channel. Sign in to confirm your age", "MEMBERS_ONLY"),
    "age before bot check": ("Sign in to confirm your age. You are not a bot", "AGE_GATE"),
    "bot check before unavailable": ("Video unavailable. Sign in, not a bot", "BOT_CHECK"),
    "captcha before unavailable": (
        "Video unavailable. YouTube is requiring a captcha challenge before playback",
        "CAPTCHA",
    ),
    "account limit before guest limit": (
        "try again later. Your account has been rate-limited",
        "RATE_LIMIT_ACCOUNT",
    ),
    "guest limit before unavailable": (
        "This content isn't available, try again later",
        "RATE_LIMIT_GUEST",
    ),
    "429 before 403": ("HTTP Error 429 after HTTP Error 403", "RATE_LIMIT_IP"),
    "429 before no formats": ("No video formats found! HTTP Error 429", "RATE_LIMIT_IP"),
    "country before copyright": ("blocked it in your country on copyright grounds", "GEO"),
    "country before unavailable": (
        "Video unavailable. The uploader has not made this video available in your country",
        "GEO",
    ),
    "removed before unavailable": ("Video unavailable. It has been removed", "REMOVED"),
    "paid before removed": ("requires payment, no longer available", "PAID"),
    "network before local": ("ffmpeg: [Errno 104] Connection reset by peer", "NETWORK"),
    "full disk before local": ("[Errno 28] No space left on device, ffmpeg", "DISK_FULL"),
}


@pytest.mark.parametrize(("text", "name"), ORDER.values(), ids=ORDER.keys())
def test_the_first_row_that_applies_wins(text, name):
    assert judge(text).failure == name


@pytest.mark.parametrize("used_cookies", [True, False])
def test_an_unknown_text_is_unknown_and_touches_nothing(used_cookies):
    outcome = judge("Something new", used_cookies=used_cookies, jar_alive=True)

    assert outcome == Classification(failure=FailureClass.UNKNOWN)


SESSION = {
    "rotated, succeeded": (
        {"warnings": (ROTATED,), "used_cookies": True, "jar_alive": False},
        True,
        (None, 3, SlotState.DEAD, "COOKIE_ROTATED"),
    ),
    "rotated, succeeded, only a warning": (
        {"warnings": ("x", ROTATED, "y"), "used_cookies": True, "jar_alive": True},
        True,
        (None, 3, SlotState.DEAD, "COOKIE_ROTATED"),
    ),
    "dead without a warning, succeeded": (
        {"used_cookies": True, "jar_alive": False},
        True,
        (None, 3, SlotState.DEAD, "COOKIE_ROTATED"),
    ),
    "alive, succeeded": (
        {"warnings": (API_429, NO_RUNTIME), "used_cookies": True, "jar_alive": True},
        True,
        (None, None, None, ""),
    ),
    "no cookies, succeeded": (
        {"warnings": (API_429,)},
        True,
        (None, None, None, ""),
    ),
    "the warning without cookies": (
        {"warnings": (ROTATED,), "used_cookies": False},
        True,
        (None, None, None, ""),
    ),
    "rotated, private": (
        {"text": "Private video", "warnings": (ROTATED,), "used_cookies": True},
        False,
        ("COOKIE_ROTATED", 3, SlotState.DEAD, "COOKIE_ROTATED"),
    ),
    "age gate, jar dead": (
        {"text": "Sign in to confirm your age", "used_cookies": True, "jar_alive": False},
        False,
        ("COOKIE_ROTATED", 3, SlotState.DEAD, "COOKIE_ROTATED"),
    ),
    "age gate, jar alive": (
        {"text": "Sign in to confirm your age", "used_cookies": True, "jar_alive": True},
        False,
        ("AGE_GATE", 7, None, ""),
    ),
    "age gate, no cookies": (
        {"text": "Sign in to confirm your age"},
        False,
        ("AGE_GATE", 7, None, ""),
    ),
    "bot check, jar dead": (
        {"text": "confirm you’re not a bot", "used_cookies": True, "jar_alive": False},
        False,
        ("COOKIE_ROTATED", 3, SlotState.DEAD, "COOKIE_ROTATED"),
    ),
    "bot check, jar alive": (
        {"text": "confirm you’re not a bot", "used_cookies": True, "jar_alive": True},
        False,
        ("BOT_CHECK", 8, SlotState.COOLING, "BOT_CHECK"),
    ),
    "bot check, no cookies": (
        {"text": "confirm you’re not a bot"},
        False,
        ("BOT_CHECK", 8, None, ""),
    ),
    "captcha, no cookies": (
        {"text": "captcha challenge before playback"},
        False,
        ("CAPTCHA", 9, None, ""),
    ),
    "account limited": (
        {"text": "Your account has been rate-limited", "used_cookies": True, "jar_alive": True},
        False,
        ("RATE_LIMIT_ACCOUNT", 10, SlotState.COOLING, "RATE_LIMIT_ACCOUNT"),
    ),
    "guest limit though cookies were passed": (
        {
            "text": "The current session has been rate-limited",
            "used_cookies": True,
            "jar_alive": True,
        },
        False,
        ("RATE_LIMIT_GUEST", 11, None, ""),
    ),
    "no login, with cookies": (
        {"text": "Login details are needed", "used_cookies": True, "jar_alive": True},
        False,
        ("COOKIE_MISSING", 4, SlotState.DEAD, "COOKIE_MISSING"),
    ),
    "no login, no cookies": (
        {"text": "Login details are needed"},
        False,
        ("COOKIE_MISSING", 4, None, ""),
    ),
    "the jar cannot be read": (
        {"text": "invalid length 5", "used_cookies": True, "jar_alive": False},
        False,
        ("COOKIE_FORMAT", 1, SlotState.DEAD, "COOKIE_FORMAT"),
    ),
    "liked videos gone": (
        {"text": "The playlist does not exist.", "list_id": "LL", "used_cookies": True},
        False,
        ("NOT_AUTHENTICATED", 15, SlotState.DEAD, "NOT_AUTHENTICATED"),
    ),
    "watch later gone, no cookies": (
        {"text": "The playlist does not exist.", "list_id": "WL"},
        False,
        ("NOT_AUTHENTICATED", 15, None, ""),
    ),
    "public list gone": (
        {"text": "The playlist does not exist.", "list_id": "PLx", "used_cookies": True},
        False,
        ("NOT_FOUND", 15, None, ""),
    ),
    "list gone, no id known": (
        {"text": "The playlist does not exist.", "used_cookies": True, "jar_alive": True},
        False,
        ("NOT_FOUND", 15, None, ""),
    ),
}


@pytest.mark.parametrize(("seen", "succeeded", "expected"), SESSION.values(), ids=SESSION.keys())
def test_a_slot_is_judged_by_the_session_and_never_without_cookies(seen, succeeded, expected):
    outcome = classify(Observation(**seen), succeeded=succeeded)

    assert (outcome.failure, outcome.row, outcome.slot_verdict, outcome.reason) == expected


HIDDEN = {
    "429 on the player": (NO_FORMATS, (API_429,), "RATE_LIMIT_IP", 429),
    "429 on everything": (
        "Failed to extract any player response",
        (API_429,),
        "RATE_LIMIT_IP",
        429,
    ),
    "429 on everything, with cookies": (
        "ERROR: dQw4w9WgXcQ: An extractor error has occurred. (caused by KeyError('CONTEXT'))",
        (API_429,),
        "RATE_LIMIT_IP",
        429,
    ),
    "403 on the player": (
        NO_FORMATS,
        ("Unable to download API page: HTTP Error 403: Forbidden",),
        "MEDIA_FORBIDDEN",
        403,
    ),
    "503 on the player": (
        NO_FORMATS,
        ("other", "Unable to download API page: HTTP Error 503: Service Unavailable"),
        "EXTRACT_TRANSIENT",
        503,
    ),
    "timeout on the player": (
        NO_FORMATS,
        ("Unable to download API page: Read timed out. (read timeout=20.0)",),
        "NETWORK",
        None,
    ),
    "page instead of an answer": (
        NO_FORMATS,
        ("dQw4w9WgXcQ: Failed to parse JSON (caused by JSONDecodeError(...))",),
        "EXTRACT_TRANSIENT",
        None,
    ),
    "429 before a timeout": (NO_FORMATS, ("Read timed out.", API_429), "RATE_LIMIT_IP", 429),
    "403 beside a timeout": (
        NO_FORMATS,
        ("Read timed out.", "HTTP Error 403: Forbidden"),
        "MEDIA_FORBIDDEN",
        403,
    ),
    "no runtime": (NO_FORMATS, (NO_RUNTIME,), "NO_FORMATS", None),
    "nothing said": (NO_FORMATS, (), "NO_FORMATS", None),
    "a clear text beside a 429": ("Private video", (API_429,), "PRIVATE", 429),
    "a removed video beside a 429": ("It has been removed", (API_429,), "REMOVED", 429),
    "something new beside a 429": ("Something new", (API_429,), "UNKNOWN", 429),
    "something new without a runtime": ("Something new", (NO_RUNTIME,), "CONFIG", None),
}


@pytest.mark.parametrize(("text", "warnings", "name", "status"), HIDDEN.values(), ids=HIDDEN.keys())
def test_a_text_that_says_little_gives_way_to_the_warnings(text, warnings, name, status):
    outcome = judge(text, warnings=warnings)

    assert (outcome.failure, outcome.status) == (name, status)


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (429, "RATE_LIMIT_IP"),
        (403, "MEDIA_FORBIDDEN"),
        (500, "EXTRACT_TRANSIENT"),
        (503, "EXTRACT_TRANSIENT"),
        (404, "UNKNOWN"),
    ],
)
def test_an_http_status_counts_though_no_text_names_it(status, name):
    outcome = judge("Unable to download API page", http_status=status)

    assert (outcome.failure, outcome.status) == (name, status)


@pytest.mark.parametrize(
    ("exception_type", "name"),
    [
        ("LoadError", "COOKIE_FORMAT"),
        ("CookieLoadError", "COOKIE_FORMAT"),
        ("GeoRestrictedError", "GEO"),
        ("UserNotLive", "NOT_YET"),
        ("TransportError", "NETWORK"),
        ("IncompleteRead", "NETWORK"),
        ("CertificateVerifyError", "NETWORK"),
        ("SSLError", "NETWORK"),
        ("ProxyError", "NETWORK"),
        ("ConnectionResetError", "NETWORK"),
        ("TimeoutError", "NETWORK"),
        ("NewConnectionError", "NETWORK"),
        ("gaierror", "NETWORK"),
        ("PostProcessingError", "LOCAL"),
        ("HTTPError", "UNKNOWN"),
        ("ExtractorError", "UNKNOWN"),
    ],
)
def test_the_type_of_an_exception_counts_though_its_text_is_new(exception_type, name):
    assert judge("Something new", exception_type=exception_type).failure == name


def test_every_type_named_in_the_table_exists():
    import builtins
    import http.client
    import http.cookiejar
    import socket
    import ssl

    import requests.exceptions
    import urllib3.exceptions
    import yt_dlp.cookies
    import yt_dlp.networking.exceptions
    import yt_dlp.postprocessor.ffmpeg
    import yt_dlp.utils

    homes = [builtins, http.client, http.cookiejar, socket, ssl, requests.exceptions]
    homes += [urllib3.exceptions, yt_dlp.cookies, yt_dlp.networking.exceptions, yt_dlp.utils]
    homes += [yt_dlp.postprocessor.ffmpeg]

    missing = {t for row in TABLE for t in row.types if not any(hasattr(h, t) for h in homes)}

    assert missing == set()


def test_countries_are_kept():
    outcome = judge(
        "not made this video available in your country",
        exception_type="GeoRestrictedError",
        countries=("DE", "FR"),
    )

    assert (outcome.failure, outcome.countries) == (FailureClass.GEO, ("DE", "FR"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ERROR: [youtube] dQw4w9WgXcQ: Private video", "private video"),
        ("\x1b[0;31mERROR:\x1b[0m [youtube] dQw4w9WgXcQ: Private video", "private video"),
        ("ERROR: Postprocessing: x", "postprocessing: x"),
        ("[youtube:tab] @some.one: Private", "private"),
        ("[youtube] Sign in: please", "sign in: please"),
        ("ERROR: \r[download] Got error: x", "got error: x"),
        ("you’re  not\n a\tbot", "you're not a bot"),
        ("YOU'RE", "you're"),
        ("", ""),
        ("ERROR: ", "error:"),
        (
            "[Errno 13] Permission denied: '/v/a private video.mp4'",
            "[errno 13] permission denied: ",
        ),
        (
            "[Errno 13] Permission denied: '/home/me/cookies.txt'",
            "[errno 13] permission denied: '/home/me/cookies.txt'",
        ),
    ],
)
def test_a_text_is_normalised_before_it_is_matched(text, expected):
    assert normalise(text) == expected


PHRASES = ("does not look like a netscape format", "login details are needed", "not a bot")


@pytest.mark.parametrize("phrase", PHRASES)
@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("unable to open for writing: [Errno 13] Permission denied: '{} [id].mp4.part'", "LOCAL"),
        ("Postprocessing: file:{} [id].mp4: Invalid data found", "LOCAL"),
        ("ERROR: Unable to rename file: [Errno 2] No such file: '{}.part' -> '{}.mp4'", "LOCAL"),
        ("[Errno 36] File name too long: '/v/{} [id].mp4'", "LOCAL"),
        (
            "This video is available to this channel’s members on level: {} (or any higher level). "
            "Join this channel to get access to members-only content.",
            "MEMBERS_ONLY",
        ),
        (
            "Video unavailable. This video contains content from {}, who has blocked it in your "
            "country on copyright grounds",
            "GEO",
        ),
        ("This video is no longer available due to a copyright claim by {}", "REMOVED"),
    ],
)
def test_a_name_chosen_by_a_stranger_cannot_pose_as_another_failure(phrase, template, name):
    outcome = judge(template.replace("{}", phrase), used_cookies=True, jar_alive=True)

    assert (outcome.failure, outcome.slot_verdict) == (name, None)


PARTS = st.sampled_from(
    [p for row in TABLE for p in (*row.patterns, *row.unless)]
    + [
        "ERROR: ",
        "[youtube] ",
        "x: ",
        "’",
        "\x1b[0m",
        "\n",
        "’s members on level: ",
        "content from ",
    ]
    + [", who ", ": '", "cookie", "…"]
)


@given(
    text=st.one_of(st.text(), st.lists(PARTS, max_size=6).map("".join)),
    warnings=st.lists(st.one_of(st.text(), PARTS), max_size=4).map(tuple),
    exception_type=st.sampled_from(["", "HTTPError", *(t for row in TABLE for t in row.types)]),
    http_status=st.one_of(st.none(), st.integers(100, 599)),
    used_cookies=st.booleans(),
    jar_alive=st.sampled_from([None, True, False]),
    list_id=st.sampled_from([None, "LL", "PLx"]),
    succeeded=st.booleans(),
)
@example(
    text="\ud800",
    warnings=("\ud800",),
    exception_type="",
    http_status=None,
    used_cookies=True,
    jar_alive=True,
    list_id=None,
    succeeded=False,
)
def test_any_observation_means_exactly_one_thing(succeeded, **seen):
    observation = Observation(**seen)

    outcome = classify(observation, succeeded=succeeded)

    assert outcome == classify(observation, succeeded=succeeded)
    assert (outcome.failure is None) == succeeded
    if outcome.failure is not None:
        row = row_of(outcome.failure)
        assert outcome.row == (None if row is UNKNOWN else row.number)
        assert outcome.slot_verdict in {None, row.slot_verdict}
    if outcome.slot_verdict is SlotState.DEAD:
        assert outcome.row in {1, 3, 4, 15}
    if outcome.slot_verdict is SlotState.COOLING:
        assert outcome.row in {8, 9, 10}
        assert outcome.cool_minutes
    if not observation.used_cookies:
        assert outcome.slot_verdict is None


def test_a_hostile_text_takes_no_time():
    import time

    started = time.perf_counter()

    for piece in (": '", "content from ", "\x1b[", "[a] b: ", "members on level: ", ": \"'", " "):
        judge(piece * 1_000_000, warnings=(piece * 1_000_000,))

    assert time.perf_counter() - started < 3
