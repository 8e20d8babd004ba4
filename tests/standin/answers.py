"""What YouTube answers instead of a video, word for word, apostrophes included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from standin.sessions import Session
from standin.videos import Video

Status = dict[str, Any]


def _status(status: str, reason: str, subreason: str = "", **screen: object) -> Status:
    message: Status = {"reason": {"simpleText": reason}}
    if subreason:
        message["subreason"] = {"simpleText": subreason}
    return {
        "status": status,
        "reason": reason,
        "errorScreen": {"playerErrorMessageRenderer": message, **screen},
    }


def _gone(subreason: str) -> Status:
    return _status("ERROR", "Video unavailable", subreason)


BOT_CHECK = _status(
    "LOGIN_REQUIRED",
    "Sign in to confirm you’re not a bot",
    "This helps protect our community. Learn more",
)
AGE_GATE = _status(
    "LOGIN_REQUIRED",
    "Sign in to confirm your age",
    "This video may be inappropriate for some users.",
)
AGE_UNVERIFIED = {**AGE_GATE, "status": "AGE_VERIFICATION_REQUIRED"}
PRIVATE = _status(
    "LOGIN_REQUIRED",
    "Private video",
    "Sign in if you've been granted access to this video",
)
RATE_LIMIT = _status("ERROR", "This content isn't available, try again later.")
OK: Status = {"status": "OK", "playableInEmbed": True}

FIXED: dict[str, Status] = {
    "bot_check": BOT_CHECK,
    "rate_limit": RATE_LIMIT,
    "captcha": _status("UNPLAYABLE", "Video unavailable", playerCaptchaViewModel={"title": "Go"}),
    "reload_page": _status("UNPLAYABLE", "The page needs to be reloaded."),
    "removed": _gone("This video has been removed by the uploader"),
    "terminated": _gone(
        "This video is no longer available because the YouTube account associated with this video"
        " has been terminated."
    ),
    "copyright": _gone("This video is no longer available due to a copyright claim by Acme Music"),
    "unavailable": _gone("This video is not available"),
    "geo": _status(
        "UNPLAYABLE",
        "Video unavailable",
        "The uploader has not made this video available in your country",
    ),
    "geo_claimed": _status(
        "UNPLAYABLE",
        "Video unavailable",
        "This video contains content from Acme Music, who has blocked it in your country on"
        " copyright grounds",
    ),
}
PLAYABLE = frozenset(
    {"ok", "live", "drm", "no_formats", "only_images", "sabr", "ip_block", "incomplete", "unknown"}
)
"""Answers that differ from a video in what the player gets, not in the status."""


def _age_gate(_: Video, session: Session | None) -> Status:
    if session is None:
        return AGE_GATE
    return OK if session.age_verified else AGE_UNVERIFIED


def _private(video: Video, session: Session | None) -> Status:
    return OK if session and session.name in video.allowed else PRIVATE


def _members_only(video: Video, session: Session | None) -> Status:
    if session and {video.handle, video.channel_id} & set(session.member_of):
        return OK
    return _status(
        "UNPLAYABLE",
        "Join this channel to get access to members-only content like this video, and other"
        " exclusive perks.",
    )


def _payment(video: Video, session: Session | None) -> Status:
    if session and session.name in video.allowed:
        return OK
    return _status("UNPLAYABLE", "This video requires payment to watch.")


def _premium(_: Video, session: Session | None) -> Status:
    if session and session.premium:
        return OK
    return _status("UNPLAYABLE", "This video is only available to Music Premium members")


def _premiere(video: Video, _: Session | None) -> Status:
    return _status("LIVE_STREAM_OFFLINE", f"Premieres in {video.starts_in}")


def _upcoming(video: Video, _: Session | None) -> Status:
    return _status("LIVE_STREAM_OFFLINE", f"This live event will begin in {video.starts_in}.")


DEPENDENT: dict[str, Callable[[Video, Session | None], Status]] = {
    "age_gate": _age_gate,
    "private": _private,
    "members_only": _members_only,
    "payment": _payment,
    "premium": _premium,
    "premiere": _premiere,
    "upcoming": _upcoming,
}

ANSWERS = frozenset({*FIXED, *DEPENDENT, *PLAYABLE})


def expect_answer(answer: str) -> str:
    """Return `answer` if there is one of that name."""
    if answer not in ANSWERS:
        raise ValueError(f"answer '{answer}': expected one of {', '.join(sorted(ANSWERS))}")
    return answer


def playability(answer: str, video: Video, session: Session | None) -> Status:
    """Return the `playabilityStatus` that this visitor gets for this video."""
    if answer in FIXED:
        return FIXED[answer]
    if answer in DEPENDENT:
        return DEPENDENT[answer](video, session)
    return OK
