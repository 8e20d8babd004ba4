from pathlib import Path

import pytest

from jarkeeper.errors import JarFormatError
from jarkeeper.jar import Form, emit_jar, read_export
from jarkeeper.limits import LIMITS

SITES = ("youtube.com",)
VECTORS = Path(__file__).parent.parent / "vectors" / "jars"
ACCEPTED = sorted((VECTORS / "accepted").glob("*.txt"))
REFUSED = sorted((VECTORS / "refused").glob("*.txt"))


def read(content: str | bytes):
    raw = content.encode() if isinstance(content, str) else content
    return read_export(raw, sites=SITES)


@pytest.mark.parametrize("file", ACCEPTED, ids=lambda file: file.stem)
def test_a_file_of_a_known_exporter_becomes_its_canonical_form(file):
    parsed = read(file.read_bytes())

    assert emit_jar(parsed.jar) == file.with_suffix(".canonical").read_bytes()


@pytest.mark.parametrize("file", REFUSED, ids=lambda file: file.stem)
def test_a_bad_file_is_refused_with_its_line_and_what_was_expected(file):
    with pytest.raises(JarFormatError) as caught:
        read(file.read_bytes())

    assert str(caught.value) == file.with_suffix(".error").read_text().rstrip("\n")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_vectors_are_there():
    assert len(ACCEPTED) >= 17
    assert len(REFUSED) >= 65


ENTRY = '{"domain": ".youtube.com", "path": "/", "secure": true, "name": "SID", "value": "%s"}'
ROW = ".youtube.com\tTRUE\t/\tTRUE\t0\tSID\tv\n"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("# Netscape HTTP Cookie File\n" + ROW, Form.NETSCAPE),
        (ROW, Form.NETSCAPE),
        ("# Netscape HTTP Cookie File\n" + ROW + "cookie:SID=v\t\t\t\t\t\t\n", Form.NETSCAPE),
        (f"\n [{ENTRY % 'v'}]", Form.JSON),
        ("\ufeff" + '{"cookies": [' + ENTRY % "v" + "]}", Form.JSON),
        ("SID=v", Form.HEADER),
        ("\n SID=v; HSID=w; \n", Form.HEADER),
        ("COOKIE:SID=v", Form.HEADER),
        ("host: www.youtube.com\r\ncookie: SID=v\r\n", Form.HEADER),
        ("curl 'https://www.youtube.com/' --cookie 'SID=v'", Form.HEADER),
    ],
)
def test_the_form_is_told_by_the_content(text, form):
    assert read(text).form is form


@pytest.mark.parametrize(
    "text", [".youtube.com TRUE / TRUE 0 SID v=w", "SID=v\nHSID=w\n", "curl 'x' --compressed"]
)
def test_what_only_resembles_a_header_is_read_as_a_cookie_file(text):
    with pytest.raises(JarFormatError, match="line 1: expected 7 tab-separated fields"):
        read(text)


def test_a_header_warns_that_nobody_knows_how_long_it_lives():
    parsed = read("Cookie: LOGIN_INFO=a; SAPISID=b")

    assert parsed.warnings == (
        "a Cookie header says nothing about expiry: how long this login lives is not known",
    )


def test_the_cookies_of_a_header_are_of_the_site_that_the_jar_is_for():
    cookies = read_export(b"SID=v; __Host-SID=w", sites=("example.com",)).jar.cookies

    assert [cookie.domain for cookie in cookies] == [".example.com", "www.example.com"]


def test_of_two_entries_alike_the_last_is_kept_and_the_other_counted():
    parsed = read(f"[{ENTRY % 'old'}, {ENTRY % 'new'}]")

    assert [cookie.value for cookie in parsed.jar.cookies] == ["new"]
    assert parsed.repeated == 1
    assert parsed.warnings == ("1 repeated row left out, the last of each kept",)


@pytest.mark.parametrize("form", ["json", "header"])
def test_five_hundred_cookies_are_kept_and_one_more_is_refused(form):
    def export(count):
        names = [f"N{number}" for number in range(count)]
        if form == "header":
            return "; ".join(f"{name}=v" for name in names)
        return "[" + ",".join((ENTRY % "v").replace("SID", name) for name in names) + "]"

    assert len(read(export(500)).jar) == 500
    with pytest.raises(JarFormatError, match="expected at most 500 cookies"):
        read(export(501))


def test_a_header_whose_canonical_form_would_be_too_large_is_refused():
    pairs = "; ".join(f"N{number}={'x' * 2080}" for number in range(500))
    assert len(pairs) < LIMITS.jar_bytes_max

    with pytest.raises(JarFormatError, match="expected a cookie file of at most"):
        read(pairs)
