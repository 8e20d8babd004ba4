import json

import pytest

from jarkeeper.youtube.messages import (
    Close,
    Expanded,
    Fetch,
    Fetched,
    Lent,
    Marked,
    Measured,
    MessageError,
    Progress,
    Start,
    Stopped,
    Withheld,
    WroteBack,
    decode,
    encode,
)

MESSAGES = [
    Start(
        "youtube",
        7,
        "2026-11-23T12:00:00+00:00",
        False,
        "/videos/.jarkeeper/parts",
        "best",
        4,
        "cli",
    ),
    Fetch(1, "dQw4w9WgXcQ", "active"),
    Close(),
    Lent("active", "ab" * 16, "cd" * 8, 3),
    Withheld("backup", "it is dead", "COOKIE_FORMAT"),
    Progress("dQw4w9WgXcQ", 10, None, None, 1.5),
    Marked("active", "ab" * 16, "dead", None, "COOKIE_ROTATED"),
    WroteBack("active", None, "login_gone"),
    Measured("opens", 1, ["youtube", "active", "ok"]),
    Stopped("audit: cannot be written", None),
    Fetched(
        number=1,
        video_id="dQw4w9WgXcQ",
        use="none",
        failure=None,
        file="dQw4w9WgXcQ.mp4",
        title="two\nlines and \u2028 more",
        received=1,
        seconds=0.5,
        http_status=None,
        detail="",
        warnings=["one"],
        slot_state=None,
        generation=None,
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_a_message_is_one_line_and_comes_out_as_it_went_in(message: object) -> None:
    line = encode(message)  # type: ignore[arg-type]

    assert line.count(b"\n") == 1
    assert decode(line) == message


def test_a_list_of_videos_survives_the_pipe() -> None:
    message = Expanded(1, [("dQw4w9WgXcQ", None)], None, "", None)

    answer = decode(encode(message))

    assert isinstance(answer, Expanded)
    assert [tuple(video) for video in answer.videos] == [("dQw4w9WgXcQ", None)]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"{}",
        json.dumps({"type": "Unheard"}).encode(),
        json.dumps({"type": "Fetch", "number": 1}).encode(),
        json.dumps({"type": "Close", "secret": "value"}).encode(),
        b"\xff\xfe",
    ],
)
def test_anything_else_is_refused_without_being_quoted(line: bytes) -> None:
    with pytest.raises(MessageError) as failure:
        decode(line)

    assert str(failure.value) == "worker message: expected one of the known types"
