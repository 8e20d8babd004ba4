"""Every limit, in one place, with its unit and its reason."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds on what is accepted and how long anything may take."""

    jar_bytes_max: int = 1 << 20
    """A browser's whole export is a few hundred KiB; more is not a cookie file."""

    jar_cookies_max: int = 500
    """After filtering. A YouTube login has about 30; each foreign one slows every extraction."""

    cookie_bytes_max: int = 4096
    """Name, value and attributes together, as RFC 6265 section 6.1 asks user agents to support."""

    expiry_max: int = 2**53
    """Seconds since 1970: the largest integer that JSON readers keep exact."""

    envelope_bytes_max: int = (1 << 20) + (64 << 10)
    """A jar of the largest size, with header and tags."""

    head_bytes_max: int = 1 << 20
    """A head with all backups and every revoked generation of many years."""

    object_bytes_max: int = 32 << 20
    """Of any stored object: twice the largest that is ever written, a volume of the archive."""

    checkpoint_events_max: int = 25_000
    """That one checkpoint appends, if each is of a writer of its own: a record of some MiB."""

    volume_events_max: int = 50_000
    """Of one volume of the archive, some 8 MiB; a day may have several."""

    log_file_bytes_max: int = 64 << 20
    """Of one file of AWS's logs, unpacked; CloudTrail's are a fifth of it at most."""

    commit_seconds_max: float = 600.0
    """From sealing a generation to its head; later the clean-up may take it for a leftover."""

    leftover_seconds_min: float = 3600.0
    """Before a generation without a head, or a temporary name, counts as left by a crash."""

    backups_max: int = 50
    """More backups than anybody can tell apart."""

    opens_per_hour_max: int = 10_000
    """Of one jar. A run opens each slot once, so this is a run every 0.4 s: no limit any more."""

    account_videos_per_hour: int = 2_000
    """That YouTube grants a logged-in account, as yt-dlp's wiki has it ("about 2000 videos/hour");
    beyond that an account gets "try again later", and is in danger."""

    permit_hours: int = 24
    """Before the clean-up takes permits away. Only the present hour's count, but clocks differ."""

    run_hours_max: int = 72
    """For a run's capability: ten thousand videos of a minute each, four at a time, take 42."""

    urls_max: int = 10_000
    """Targets of one run; a larger list is several runs."""

    url_list_bytes_max: int = 4 << 20
    """A file of `urls_max` URLs is a quarter of this."""

    target_chars_max: int = 2048
    """Of one id or URL; the longest that YouTube itself shares are a tenth of that."""

    mistakes_shown: int = 20
    """Bad entries of a list that one message names; the others are counted."""

    playlist_videos_max: int = 10_000
    """Videos taken from one playlist or channel; YouTube itself stops at 5,000 for most lists."""

    concurrency_max: int = 32
    """Downloads at once; a process manages some 28 videos a second whatever the threads."""

    file_name_bytes_max: int = 200
    """Of 255 that file systems allow: room for an id, a suffix and `.part`."""

    title_chars_max: int = 200
    """YouTube allows 100; a list of ten thousand has to fit into one message."""

    detail_chars_max: int = 300
    """Of a failure's text, after it was cleaned."""

    message_bytes_max: int = 16 << 20
    """One line on the pipe between a run and its worker: the longest list, with every title."""

    worker_stop_seconds: float = 20.0
    """To write refreshed jars back after the last video; then the worker is ended."""

    commit_tries_max: int = 20
    """Conflicts with other writers in a row before a commit gives up."""

    clock_skew_seconds_max: float = 120.0
    """Between our clock and the store's; hours of permits and signatures of AWS bear that much."""

    free_bytes_min: int = 512 << 20
    """On a disk that is written to: less than a long video takes."""

    yt_dlp_days_max: int = 60
    """yt-dlp is released every few weeks, because YouTube changes as often."""

    socket_timeout_seconds: float = 20.0
    """A stalled connection is dropped and resumed after this."""


LIMITS = Limits()
