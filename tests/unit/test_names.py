from __future__ import annotations

import os
import re
import shlex
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jarkeeper.errors import InputError
from jarkeeper.limits import LIMITS
from jarkeeper.media.names import safe_name

ID = "dQw4w9WgXcQ"
BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"

HOSTILE = {
    "path": "../../etc/passwd",
    "absolute path": "/etc/shadow",
    "windows path": r"C:\Windows\system32\cmd.exe",
    "unc path": r"\\server\share\x",
    "nul": "title\x00.sh",
    "controls": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "ansi": "\x1b[2J\x1b]0;owned\x07title",
    "newline": "first\nsecond\r\nthird\u2028fourth\u2029fifth",
    "bidi override": "video\u202egpj.exe",
    "all bidi": BIDI + "title" + BIDI,
    "zero width": "a\u200b\u200c\u200d\ufeff\u2060b",
    "tags": "a\U000e0061\U000e0062b",
    "surrogates": "a\ud800\udfffb",
    "private use": "a\ue000\U000f0000b",
    "emoji": "🎉👩‍👩‍👧‍👦🏴‍☠️ party",
    "only emoji": "🎉" * 500,
    "combining flood": "Z" + "\u0335\u0301\u0321" * 5000 + "algo",
    "long": "x" * 10_000,
    "long wide": "漢" * 10_000,
    "empty": "",
    "spaces": "   \u3000\u00a0 ",
    "dot": ".",
    "dots": "..",
    "many dots": "....... ...",
    "hidden": ".bashrc",
    "option": "-rf",
    "long option": "--exec=rm",
    "home": "~root",
    "trailing": "title. . .",
    "reserved": "CON",
    "reserved with extension": "nul.txt",
    "reserved port": "Com1.foo",
    "reserved superscript": "LPT³",
    "reserved and long": "NUL." + "é" * 1000,
    "reserved and just as long": "NUL." + "x" * 1000,
    "reserved after stripping": " ..NUL. ",
    "shell": "$(rm -rf ~) `id` ; rm & | > x < y * ? \" ' ! # {a,b} [z] ^",
    "template": "%(cookies)s %(title)s %%",
    "drive": "c:title",
    "stream": "title::$DATA",
    "only separators": "/" * 50,
    "decomposed": "e\u0301 A\u030a ᄒ\u1161\u11ab",
    "look-alike slash": "a\u2044b\u2215c\uff0fd",
}


def assert_safe(name: str) -> None:
    assert name == os.path.basename(name)
    assert name not in {"", ".", ".."}
    assert len(name.encode()) <= LIMITS.file_name_bytes_max
    assert unicodedata.is_normalized("NFC", name)
    assert not re.search(r'[/\\:*?"<>|$`;%\']', name)
    assert not [c for c in name if unicodedata.category(c)[0] == "C"]
    assert not [c for c in name if unicodedata.category(c)[0] == "Z" and c != " "]
    assert name[0] not in "-.~ "
    assert re.search(r"[^. ] \[[A-Za-z0-9_-]+\]\.[a-z0-9]{1,5}\Z", name)
    assert not re.match(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])\s*\.", name, re.IGNORECASE)
    marks = "".join("m" if unicodedata.category(c) in {"Mn", "Me"} else "." for c in name)
    assert "mmm" not in marks
    assert shlex.split(f'"{name}"') == [name] == shlex.split(f"'{name}'")


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_title_becomes_one_harmless_component(title):
    name = safe_name(title, ID, "mp4")

    assert_safe(name)
    assert name.endswith(f" [{ID}].mp4")


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_file_of_that_name_lands_in_its_directory(tmp_path, title):
    path = tmp_path / safe_name(title, ID, "mp4")

    path.write_bytes(b"")

    assert [entry.resolve() for entry in tmp_path.iterdir()] == [path.resolve()]
    assert path.resolve().parent == tmp_path.resolve()


@pytest.mark.parametrize(
    ("title", "expected"),
    {
        "plain": ("Never Gonna Give You Up", "Never Gonna Give You Up"),
        "umlauts": ("Größe & Übermut (live)", "Größe & Übermut (live)"),
        "separators": ("AC/DC: Live?", "AC_DC_ Live"),
        "apostrophe": ("Don't stop!", "Don’t stop!"),
        "spaces": ("a \t\n  b", "a b"),
        "nothing": (None, "video"),
        "empty": ("", "video"),
        "only dots": ("...", "video"),
        "vietnamese": ("Tiếng Việt", "Tiếng Việt"),
        "device": ("NUL.tar", "_NUL.tar"),
        "bidi": ("video\u202egpj.exe", "videogpj.exe"),
    }.values(),
)
def test_a_title_keeps_what_is_readable(title, expected):
    assert safe_name(title, ID, "mp4") == f"{expected} [{ID}].mp4"


@given(title=st.text(), extension=st.text(max_size=12))
def test_any_title_and_extension_give_a_safe_name(title, extension):
    assert_safe(safe_name(title, ID, extension))


@given(
    title=st.text(
        st.sampled_from("./\\-~ '%$\u0301\u0335\u202e\ud800é漢\U0001f389CONul1\u1112\u1161")
    ),
    video_id=st.from_regex(r"\A[A-Za-z0-9_-]{1,64}\Z"),
)
def test_any_mix_of_hostile_characters_gives_a_safe_name_with_the_id(title, video_id):
    name = safe_name(title, video_id, "webm")

    assert_safe(name)
    assert name.endswith(f" [{video_id}].webm")


@given(st.text(min_size=1))
def test_the_name_is_a_fixed_point(title):
    name = safe_name(title, ID, "mp4")

    again = safe_name(name.removesuffix(f" [{ID}].mp4"), ID, "mp4")

    assert again == name


@pytest.mark.parametrize(
    ("extension", "expected"),
    [
        ("mp4", "mp4"),
        ("MP4", "mp4"),
        ("json3", "json3"),
        ("unknown_video", "bin"),
        ("../sh", "bin"),
        ("mp4\n", "bin"),
        ("", "bin"),
        ("m p", "bin"),
        ("mp４", "bin"),
        ("ſ", "bin"),
    ],
)
def test_an_extension_of_another_form_becomes_bin(extension, expected):
    assert safe_name("title", ID, extension) == f"title [{ID}].{expected}"


@pytest.mark.parametrize("video_id", ["", "a/b", "../x", "a\n", "id]", "a" * 65, "ａ", "a b", "."])
def test_an_id_of_another_form_is_refused_without_being_quoted(video_id):
    with pytest.raises(InputError) as refusal:
        safe_name("title", video_id, "mp4")

    assert not video_id.strip() or len(video_id) < 2 or video_id not in refusal.value.message


def test_an_enormous_title_takes_no_time():
    started = time.perf_counter()

    safe_name("\u0301" * 5_000_000, ID, "mp4")

    assert time.perf_counter() - started < 0.5
