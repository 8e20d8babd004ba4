"""What the gate lets through is rebuilt; the rest is refused, and nothing is ever looked up."""

from __future__ import annotations

import re
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.errors import TargetError
from jarkeeper.limits import LIMITS
from jarkeeper.youtube.targets import Target, TargetKind, parse_target, parse_targets, video_target

ID = "dQw4w9WgXcQ"
LIST = "PLBCF2DAC6FFB574DE"
CHANNEL = "UCuAXFkgsw1L7xaCfnd5JJOw"
WATCH = f"https://www.youtube.com/watch?v={ID}"

CANONICAL = re.compile(
    r"https://www\.youtube\.com/(?:watch\?v=[\w-]{11}|playlist\?list=[\w-]{2,80}"
    r"|(?:channel/UC[\w-]{22}|@\w[\w.-]{2,29}|(?:c|user)/\w[\w.-]{0,99})"
    r"(?:/(?:videos|shorts|streams))?)",
    re.ASCII,
)

_events: list[str] = []
_listening = False


def _audit(event: str, _: object) -> None:
    if _listening and event.startswith(("socket.", "open", "subprocess.", "os.system", "urllib.")):
        _events.append(event)


# A hook cannot be taken out again, so it is put in once and listens only while a test asks.
sys.addaudithook(_audit)


@pytest.fixture(autouse=True)
def no_sockets(request):
    global _listening
    _events.clear()
    _listening = True
    yield
    _listening = False
    touched = [event for event in _events if event != "open"]
    assert touched == []


ACCEPTED = {
    "id": (ID, WATCH),
    "id with spaces around": (f"  {ID}\r\n", WATCH),
    "id with a leading hyphen": ("-abcdefghij", "https://www.youtube.com/watch?v=-abcdefghij"),
    "watch": (WATCH, WATCH),
    "http": (f"http://www.youtube.com/watch?v={ID}", WATCH),
    "no scheme": (f"www.youtube.com/watch?v={ID}", WATCH),
    "no scheme, short": (f"youtu.be/{ID}", WATCH),
    "upper case": (f"HTTPS://WWW.YouTube.COM/watch?v={ID}", WATCH),
    "port 443": (f"https://www.youtube.com:443/watch?v={ID}", WATCH),
    "bare domain": (f"https://youtube.com/watch?v={ID}", WATCH),
    "mobile": (f"https://m.youtube.com/watch?v={ID}", WATCH),
    "music": (f"https://music.youtube.com/watch?v={ID}&feature=share", WATCH),
    "short": (f"https://youtu.be/{ID}", WATCH),
    "short with tracking": (f"https://youtu.be/{ID}?si=abc_DEF-123&t=42", WATCH),
    "nocookie embed": (f"https://www.youtube-nocookie.com/embed/{ID}?rel=0", WATCH),
    "embed": (f"https://www.youtube.com/embed/{ID}", WATCH),
    "shorts": (f"https://www.youtube.com/shorts/{ID}", WATCH),
    "live": (f"https://www.youtube.com/live/{ID}?feature=share", WATCH),
    "v": (f"https://www.youtube.com/v/{ID}", WATCH),
    "trailing slash": (f"https://www.youtube.com/shorts/{ID}/", WATCH),
    "fragment": (f"{WATCH}#t=30s", WATCH),
    "fragment with anything": (f"{WATCH}#@evil.example/%2e%2e", WATCH),
    "id not first": (f"https://www.youtube.com/watch?app=desktop&v={ID}", WATCH),
    "encoded parameter beside it": (f"{WATCH}&pp=ygUHZXhhbXBsZQ%3D%3D", WATCH),
    "a list beside it is not taken": (f"{WATCH}&list={LIST}&index=3", WATCH),
    "a hostile list beside it is not taken": (f"{WATCH}&list=../../etc", WATCH),
    "playlist": (
        f"https://www.youtube.com/playlist?list={LIST}&si=x",
        f"https://www.youtube.com/playlist?list={LIST}",
    ),
    "watch with a list only": (
        f"https://www.youtube.com/watch?list={LIST}",
        f"https://www.youtube.com/playlist?list={LIST}",
    ),
    "embedded list": (
        f"https://www.youtube.com/embed/videoseries?list={LIST}",
        f"https://www.youtube.com/playlist?list={LIST}",
    ),
    "liked videos": (
        "https://www.youtube.com/playlist?list=LL",
        "https://www.youtube.com/playlist?list=LL",
    ),
    "watch later": (
        "https://m.youtube.com/playlist?list=WL",
        "https://www.youtube.com/playlist?list=WL",
    ),
    "album": (
        "https://music.youtube.com/playlist?list=OLAK5uy_abcdefghijklmnop",
        "https://www.youtube.com/playlist?list=OLAK5uy_abcdefghijklmnop",
    ),
    "channel": (
        f"https://www.youtube.com/channel/{CHANNEL}",
        f"https://www.youtube.com/channel/{CHANNEL}",
    ),
    "channel's videos": (
        f"https://www.youtube.com/channel/{CHANNEL}/videos/",
        f"https://www.youtube.com/channel/{CHANNEL}/videos",
    ),
    "handle": ("https://youtube.com/@some.one-x", "https://www.youtube.com/@some.one-x"),
    "handle's shorts": (
        "https://www.youtube.com/@someone/shorts?view=0",
        "https://www.youtube.com/@someone/shorts",
    ),
    "handle's streams": (
        "https://www.youtube.com/@someone/streams",
        "https://www.youtube.com/@someone/streams",
    ),
    "c": ("https://www.youtube.com/c/Some.Name", "https://www.youtube.com/c/Some.Name"),
    "user": ("www.youtube.com/user/someone/videos", "https://www.youtube.com/user/someone/videos"),
}

HOSTILE = [
    # other schemes
    "file:///etc/passwd",
    "file://www.youtube.com/etc/passwd",
    "FILE:///etc/passwd",
    "ftp://www.youtube.com/watch?v=" + ID,
    "javascript:alert(1)",
    "javascript://www.youtube.com/%0aalert(1)",
    "data:text/html,<script>",
    "data:," + ID,
    "gopher://www.youtube.com/",
    "dict://127.0.0.1:11211/",
    "ws://www.youtube.com/watch?v=" + ID,
    "wss://www.youtube.com/watch?v=" + ID,
    "rtmp://www.youtube.com/watch?v=" + ID,
    "mailto:someone@youtube.com",
    "ytdl://" + ID,
    "ytsearch:cats",
    "ytsearch10:cats",
    "ytsearchall:cats",
    ":ytfav",
    ":ytwatchlater",
    ":ythistory",
    "youtube:" + ID,
    "view-source:" + WATCH,
    "https+evil://www.youtube.com/watch?v=" + ID,
    "httpss://www.youtube.com/watch?v=" + ID,
    "://www.youtube.com/watch?v=" + ID,
    "//www.youtube.com/watch?v=" + ID,
    "https:/www.youtube.com/watch?v=" + ID,
    "https:www.youtube.com/watch?v=" + ID,
    "https:///www.youtube.com/watch?v=" + ID,
    "https:////www.youtube.com/watch?v=" + ID,
    "https://https://www.youtube.com/watch?v=" + ID,
    # other hosts
    "https://evil.example/watch?v=" + ID,
    "https://www.youtube.com.evil.example/watch?v=" + ID,
    "https://wwwyoutube.com/watch?v=" + ID,
    "https://notyoutube.com/watch?v=" + ID,
    "https://youtube.com-evil.example/watch?v=" + ID,
    "https://youtube.co/watch?v=" + ID,
    "https://youtube.community/watch?v=" + ID,
    "https://evil.youtube.com/watch?v=" + ID,
    "https://www.www.youtube.com/watch?v=" + ID,
    "https://accounts.youtube.com/watch?v=" + ID,
    "https://consent.youtube.com/m?continue=https://evil.example",
    "https://studio.youtube.com/watch?v=" + ID,
    "https://www.google.com/url?q=" + WATCH,
    "https://youtu.be.evil.example/" + ID,
    "https://www.youtu.be.example/" + ID,
    "https://xyoutu.be/" + ID,
    "https://www.youtube.com./watch?v=" + ID,
    "https://.youtube.com/watch?v=" + ID,
    "https://www..youtube.com/watch?v=" + ID,
    "https://youtube/watch?v=" + ID,
    "https://com/watch?v=" + ID,
    "https:///watch?v=" + ID,
    "https://?v=" + ID,
    "https://invidious.example/watch?v=" + ID,
    "https://www.youtube-nocookie.com.evil.example/embed/" + ID,
    # addresses
    "https://127.0.0.1/watch?v=" + ID,
    "https://localhost/watch?v=" + ID,
    "https://0.0.0.0/watch?v=" + ID,
    "https://0/watch?v=" + ID,
    "https://2130706433/watch?v=" + ID,
    "https://0x7f000001/watch?v=" + ID,
    "https://0177.0.0.1/watch?v=" + ID,
    "https://169.254.169.254/latest/meta-data/",
    "http://169.254.170.2/v2/credentials",
    "https://[::1]/watch?v=" + ID,
    "https://[::ffff:127.0.0.1]/watch?v=" + ID,
    "https://[fe80::1%25eth0]/watch?v=" + ID,
    "https://[www.youtube.com]/watch?v=" + ID,
    "https://10.0.0.1:8080/watch?v=" + ID,
    "169.254.169.254/latest/meta-data",
    "localhost:4200/api",
    # userinfo and ports
    "https://www.youtube.com@evil.example/watch?v=" + ID,
    "https://user@www.youtube.com/watch?v=" + ID,
    "https://user:secret@www.youtube.com/watch?v=" + ID,
    "https://:@www.youtube.com/watch?v=" + ID,
    "https://@www.youtube.com/watch?v=" + ID,
    "https://www.youtube.com:443@evil.example/watch?v=" + ID,
    "https://www.youtube.com%40evil.example/watch?v=" + ID,
    "https://evil.example#@www.youtube.com/watch?v=" + ID,
    "https://evil.example?@www.youtube.com/watch?v=" + ID,
    "https://www.youtube.com:80/watch?v=" + ID,
    "https://www.youtube.com:8443/watch?v=" + ID,
    "https://www.youtube.com:0/watch?v=" + ID,
    "https://www.youtube.com:/watch?v=" + ID,
    "https://www.youtube.com:443:443/watch?v=" + ID,
    "https://www.youtube.com:0443/watch?v=" + ID,
    "https://www.youtube.com:+443/watch?v=" + ID,
    "https://www.youtube.com:443x/watch?v=" + ID,
    "https://www.youtube.com:99999999/watch?v=" + ID,
    # look-alikes and invisible characters
    "https://www.youtubе.com/watch?v=" + ID,
    "https://www.yоutube.com/watch?v=" + ID,
    "https://www.youtube。com/watch?v=" + ID,
    "https://www.youtube．com/watch?v=" + ID,
    "https://ｗｗｗ.youtube.com/watch?v=" + ID,
    "https://www.youtube.com／watch?v=" + ID,
    "https://www.youtube.com⁄watch?v=" + ID,
    "https://www.youtube.com＠evil.example/watch?v=" + ID,
    "https://www.youtube.com\u200b/watch?v=" + ID,
    "https://www.youtube.com\u00ad/watch?v=" + ID,
    "https://www.youtube.com/watch?v=\u202e" + ID,
    "https://xn--youtub-9ra.com/watch?v=" + ID,
    "https://www.xn--ytube-jua.com/watch?v=" + ID,
    "https://www.youtube.ⅽom/watch?v=" + ID,
    "https://www.youtuße.com/watch?v=" + ID,
    "https://m․youtube.com/watch?v=" + ID,
    "https://youtu․be/" + ID,
    "dQw4w9WgXс0",
    "dQw4w9WgXc\u0301",
    "ｄQw4w9WgXcQ",
    "١٢٣٤٥٦٧٨٩٠١",
    "https://www.youtube.com/watch?v=" + "１" * 11,
    "https://www.youtube.com/@ｓomeone",
    "https://www.youtube.com/@日本語",
    "\ufeff" + WATCH,
    "\ud800" + WATCH,
    # control characters, spaces, backslashes
    "https://www.youtube.com/watch?v=" + ID + "\x00",
    "https://www.youtube.com\x00.evil.example/watch?v=" + ID,
    "https://www.you\ttube.com/watch?v=" + ID,
    "https://www.you\ntube.com/watch?v=" + ID,
    "java\nscript:alert(1)",
    "https://www.youtube.com/watch?v=dQw4w\n9WgXcQ",
    "https://www.youtube.com/watch?v=" + ID + "\r\nHost: evil.example",
    "https://www.youtube.com/watch?v=" + ID + " HTTP/1.1",
    "https://www.youtube.com /watch?v=" + ID,
    " https:// www.youtube.com/watch?v=" + ID,
    "https://www.youtube.com/watch?v=" + ID + "\x1b[2J",
    "https://www.youtube.com/watch?v=" + ID + "\x7f",
    "https://www.youtube.com/watch?v=" + ID + "\x85",
    "\x1f" + ID,
    ID + "\x0b",
    "\u00a0" + ID,
    ID + "\u2028",
    f"{WATCH} {WATCH}",
    f"{ID}\n{ID}",
    "https://www.youtube.com\\@evil.example/watch?v=" + ID,
    "https:\\\\www.youtube.com\\watch?v=" + ID,
    "https://evil.example\\.youtube.com/watch?v=" + ID,
    "\\\\server\\share",
    # the same where it would be dropped anyway
    WATCH + "&t=1\x00",
    WATCH + "&x=a b",
    WATCH + "&x=a\nb",
    WATCH + "&x=\\x",
    WATCH + "#\u202e",
    WATCH + "&x=é",
    # percent tricks
    "https://www.youtube.com/%77atch?v=" + ID,
    "https://www%2eyoutube.com/watch?v=" + ID,
    "https://%77ww.youtube.com/watch?v=" + ID,
    "https%3A%2F%2Fwww.youtube.com%2Fwatch%3Fv%3D" + ID,
    "https://www.youtube.com/watch%3Fv=" + ID,
    "https://www.youtube.com/watch?%76=" + ID,
    "https://www.youtube.com/watch?v=%64Qw4w9WgXcQ",
    "https://www.youtube.com/watch?v=" + ID + "%00",
    "https://www.youtube.com/watch?v=" + ID + "%0d%0aX:y",
    "https://www.youtube.com/watch?v=%2e%2e%2f%2e%2e",
    "https://www.youtube.com/%2e%2e/watch?v=" + ID,
    "https://www.youtube.com/playlist?list=PL%42CF2DAC6FFB574DE",
    "https://www.youtube.com/@some%6fne",
    "https://youtu.be/%64Qw4w9WgXcQ",
    # options
    "--exec",
    "--exec=rm -rf ~",
    "--config-location=/tmp/x",
    "--exec-rm-x",
    "--no-config",
    "-o",
    "-o/tmp/x",
    "-a/etc/passwd",
    "--",
    "-",
    "-- " + ID,
    # other pages, other paths
    "https://www.youtube.com",
    "https://www.youtube.com/",
    "https://www.youtube.com/watch",
    "https://www.youtube.com/watch?",
    "https://www.youtube.com/watch?v=",
    "https://www.youtube.com/watch?V=" + ID,
    "https://www.youtube.com/WATCH?v=" + ID,
    "https://www.youtube.com//watch?v=" + ID,
    "https://www.youtube.com/./watch?v=" + ID,
    "https://www.youtube.com/x/../watch?v=" + ID,
    "https://www.youtube.com/watch/../redirect?q=https://evil.example&v=" + ID,
    "https://www.youtube.com/redirect?q=https://evil.example",
    "https://www.youtube.com/redirect?v=" + ID,
    "https://www.youtube.com/attribution_link?u=/watch?v=" + ID,
    "https://www.youtube.com/oembed?url=" + WATCH,
    "https://www.youtube.com/results?search_query=cats",
    "https://www.youtube.com/feed/history",
    "https://www.youtube.com/feed/subscriptions",
    "https://www.youtube.com/account",
    "https://www.youtube.com/logout",
    "https://www.youtube.com/signin?next=/watch?v=" + ID,
    "https://www.youtube.com/s/player/abc/base.js",
    "https://www.youtube.com/youtubei/v1/player",
    "https://www.youtube.com/clip/UgkxabcdefghijK",
    "https://www.youtube.com/watch?v=" + ID + "&v=../../x",
    "https://www.youtube.com/watch?v=" + ID + "&v=" + ID,
    "https://www.youtube.com/watch?v=" + ID + ";list=PL",
    "https://www.youtube.com/watch?v[]=" + ID,
    "https://www.youtube.com/watch?v=" + ID + "/../..",
    "https://www.youtube.com/watch?v=short",
    "https://www.youtube.com/watch?v=" + ID + "x",
    "https://www.youtube.com/watch?v=" + "x" * 500,
    "https://www.youtube.com/watch?v=dQw4w9WgXc'",
    "https://www.youtube.com/watch?v=$(sleep1)x",
    "https://www.youtube.com/watch?v=`reboot`xx",
    "https://www.youtube.com/watch?v=../../../x",
    "https://www.youtube.com/watch#?v=" + ID,
    "https://www.youtube.com#/watch?v=" + ID,
    "https://www.youtube.com?v=" + ID,
    "https://www.youtube.com/playlist",
    "https://www.youtube.com/playlist?list=",
    "https://www.youtube.com/playlist?list=../../etc/passwd",
    "https://www.youtube.com/playlist?list=PLx",
    "https://www.youtube.com/playlist?list=HL",
    "https://www.youtube.com/playlist?list=PL" + "x" * 500,
    "https://www.youtube.com/playlist?list=" + LIST + "&list=WL",
    "https://www.youtube.com/embed/live_stream?channel=" + CHANNEL,
    "https://www.youtube.com/embed/videoseries",
    "https://www.youtube.com/embed/" + ID + "/x",
    "https://www.youtube.com/shorts/",
    "https://www.youtube.com/shorts/videos",
    "https://www.youtube-nocookie.com/watch?v=" + ID,
    "https://www.youtube-nocookie.com/playlist?list=" + LIST,
    "https://www.youtube-nocookie.com/@someone",
    "https://youtu.be/",
    "https://youtu.be/watch?v=" + ID,
    "https://youtu.be/embed/" + ID,
    "https://youtu.be/" + ID + "/../x",
    "https://youtu.be/@someone",
    "https://www.youtube.com/channel/",
    "https://www.youtube.com/channel/UCshort",
    "https://www.youtube.com/channel/" + CHANNEL + "/../../x",
    "https://www.youtube.com/channel/" + CHANNEL + "/about",
    "https://www.youtube.com/channel/" + CHANNEL + "/videos/videos",
    "https://www.youtube.com/channel/../redirect",
    "https://www.youtube.com/@",
    "https://www.youtube.com/@a",
    "https://www.youtube.com/@../videos",
    "https://www.youtube.com/@someone/../../x",
    "https://www.youtube.com/@someone/playlists",
    "https://www.youtube.com/@some:one",
    "https://www.youtube.com/@" + "x" * 31,
    "https://www.youtube.com/c/..",
    "https://www.youtube.com/c/../x",
    "https://www.youtube.com/c/",
    "https://www.youtube.com/user/-rf",
    "https://www.youtube.com/someone",
    # neither id nor URL
    "",
    " ",
    "\t\r\n",
    "x",
    "dQw4w9WgXc",
    "dQw4w9WgXcQQ",
    "dQw4w9 gXcQ",
    "dQw4w9WgXc=",
    "dQw4w9WgX/Q",
    "../../../et",
    "/etc/passwd",
    "C:\\x\\y\\z.tx",
    "$(reboot)xx",
    "`reboot`xxx",
    "@someone",
    "videoseries",
    "live_stream",
    "x" * 5000,
    "https://www.youtube.com/watch?v=" + ID + "&x=" + "y" * 5000,
    "{'url': 'x'}",
    "SAPISID=canary-secret-value/abc",
    ".youtube.com\tTRUE\t/\tTRUE\t0\tSID\tcanary-secret-value",
]


@pytest.mark.parametrize(("text", "url"), ACCEPTED.values(), ids=ACCEPTED.keys())
def test_what_is_youtube_is_rebuilt(text, url):
    target = parse_target(text)

    assert target.url == url
    assert CANONICAL.fullmatch(target.url)
    assert target.id in target.url


def test_there_are_enough_hostile_urls():
    assert len(set(HOSTILE)) == len(HOSTILE) >= 150


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_a_hostile_entry_is_refused(text):
    with pytest.raises(TargetError) as refusal:
        parse_target(text)

    message = f"{refusal.value} {refusal.value.hint or ''}"
    assert not {c for c in message if not c.isprintable()}
    assert len(message) < 400
    for secret in ("secret", "user", "%", "<script>", "etc", "rm -rf"):
        assert secret not in message


@pytest.mark.parametrize(
    ("text", "kind", "id_"),
    [
        (WATCH, TargetKind.VIDEO, ID),
        (f"https://www.youtube.com/playlist?list={LIST}", TargetKind.PLAYLIST, LIST),
        (f"https://www.youtube.com/channel/{CHANNEL}/videos", TargetKind.CHANNEL, CHANNEL),
        ("https://www.youtube.com/@someone", TargetKind.CHANNEL, "@someone"),
        ("https://www.youtube.com/c/Name", TargetKind.CHANNEL, "c/Name"),
        ("https://www.youtube.com/user/name", TargetKind.CHANNEL, "user/name"),
    ],
)
def test_a_target_says_what_it_is(text, kind, id_):
    target = parse_target(text)

    assert (target.kind, target.id) == (kind, id_)


@given(st.text())
def test_any_text_is_refused_or_rebuilt(text):
    assert_refused_or_rebuilt(text)


URL_PARTS = """
https:// http:// file: www. m. youtube.com youtu.be youtube-nocookie.com evil.example [::1]
/ ? & # @ : ; :443 .. - -- %2e v= list= watch playlist embed/ shorts/ live/ channel/ c/ user/
@someone videos videoseries а
"""
FRAGMENTS = st.sampled_from([*URL_PARTS.split(), ID, LIST, CHANNEL, "\\", "\n", " ", "\x00"])


@given(st.lists(FRAGMENTS, max_size=9).map("".join))
def test_any_mix_of_url_parts_is_refused_or_rebuilt(text):
    assert_refused_or_rebuilt(text)


@given(st.lists(FRAGMENTS, max_size=5).map("".join))
def test_nothing_that_follows_a_good_url_gets_through(tail):
    assert_refused_or_rebuilt(WATCH + tail)


def assert_refused_or_rebuilt(text: str) -> None:
    try:
        target = parse_target(text)
    except TargetError:
        return
    assert CANONICAL.fullmatch(target.url)
    assert parse_target(target.url) == target


def test_all_bad_entries_are_reported_at_once_by_position():
    with pytest.raises(TargetError) as refusal:
        parse_targets([ID, "https://evil.example/x", WATCH, "short"])

    assert refusal.value.message == (
        "entry 2: expected an 11-character video id or an https URL of youtube.com or youtu.be, "
        "got 'https://evil.example/…'; "
        "entry 4: expected an 11-character video id or an https URL of youtube.com or youtu.be, "
        "got 'short' (5 characters)"
    )


def test_a_report_names_the_first_twenty_and_counts_the_others():
    with pytest.raises(TargetError) as refusal:
        parse_targets(["bad"] * 25)

    assert refusal.value.message.count("entry ") == LIMITS.mistakes_shown
    assert "entry 20:" in refusal.value.message
    assert refusal.value.message.endswith("; and 5 more")


def test_twenty_bad_entries_are_all_named():
    with pytest.raises(TargetError) as refusal:
        parse_targets(["bad"] * LIMITS.mistakes_shown)

    assert "more" not in refusal.value.message


def test_targets_keep_their_order_and_come_once():
    other = "aaaaaaaaaaa"

    targets = parse_targets([other, ID, f"youtu.be/{ID}", WATCH, other])

    assert targets == (video_target(other), video_target(ID))


def test_no_entry_at_all_is_refused():
    with pytest.raises(TargetError, match="at least one"):
        parse_targets([])


def test_more_entries_than_a_run_takes_are_refused():
    with pytest.raises(TargetError, match=f"at most {LIMITS.urls_max}, got {LIMITS.urls_max + 1}"):
        parse_targets([ID] * (LIMITS.urls_max + 1))


@pytest.mark.parametrize("video_id", ["--exec-rm-x", "-abcdefghij", "___________"])
def test_an_id_that_came_from_a_list_may_begin_with_hyphens(video_id):
    target = video_target(video_id)

    assert target == Target(
        TargetKind.VIDEO, video_id, f"https://www.youtube.com/watch?v={video_id}"
    )


@pytest.mark.parametrize("video_id", ["", "../../../et", f"{ID}\n", f"{ID}&x=y", "videoseries"])
def test_an_id_of_another_form_is_refused_wherever_it_came_from(video_id):
    with pytest.raises(TargetError):
        video_target(video_id)


def test_a_pasted_cookie_is_not_repeated():
    with pytest.raises(TargetError) as refusal:
        parse_targets(["canary-secret-value-AAAAAAAAAAAA", "https://canary:pw@www.youtube.com/"])

    assert "canary" not in str(refusal.value)


def test_refusing_the_longest_list_of_the_longest_entries_takes_no_time():
    entries = ["https://" + "@" * LIMITS.target_chars_max] * LIMITS.urls_max
    started = time.perf_counter()

    with pytest.raises(TargetError):
        parse_targets(entries)

    assert time.perf_counter() - started < 5


def test_the_audit_would_have_seen_a_lookup():
    import socket

    socket.getaddrinfo("127.0.0.1", 9, flags=socket.AI_NUMERICHOST)

    assert "socket.getaddrinfo" in _events
    _events.clear()
