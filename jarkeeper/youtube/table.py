"""The classifier's table: what each text of yt-dlp means. A new message is one new row or pattern.

Texts were read from yt-dlp 2026.8.19. Where its documentation or the field says "only an account
with access", "rarely" or "after a wait", this table has decided:

- A gate of the account (private, members-only, paid) is final once cookies were used: a backup is
  an earlier generation of the same jar, mostly of the same account. An age gate tries it once.
- A bot check or captcha tries the backup once, never falls to no cookies, and then stops the run.
- A rate-limited account waits; the backup is spared, what is public is fetched without cookies.
- A list that does not exist may be one's own and private: it is looked for once with a login.
- "Often" without cookies is a yes; "public only", "if public" and "sometimes" are a maybe.
- `UNAVAILABLE` has one cross-check, without cookies, because blocked accounts get that answer too.
"""

from __future__ import annotations

from jarkeeper.slots import SlotState
from jarkeeper.youtube.rows import FailureClass, Help, RetryRule, Row
from jarkeeper.youtube.transport import TRANSPORT, TRANSPORT_TYPES

YES, MAYBE = Help.YES, Help.MAYBE
HOUR, DAY = 60, 24 * 60

IMPORT = "run `jarkeeper import cookies.txt` with a fresh export from your browser"
WAIT = "wait an hour, then run it again; what is downloaded already is skipped"
NOTHING = "nothing to do"

LOCAL_STARTS = (
    "postprocessing:", "post hooks:", "unable to open for writing", "unable to write data",
    "unable to rename file", "unable to create directory",
)  # fmt: skip

TABLE: tuple[Row, ...] = (
    Row(
        number=1,
        failure=FailureClass.COOKIE_FORMAT,
        patterns=(
            "does not look like a netscape format",
            "must be netscape formatted, not json",
            "failed to load cookies",
            "invalid length",
        ),
        types=("CookieLoadError", "LoadError"),
        unless=("permission denied",),
        helps_backup=YES,
        helps_none=YES,
        slot_verdict=SlotState.DEAD,
        explanation="the stored cookies are not what was stored, or no cookie file",
        next_step=IMPORT,
    ),
    Row(
        number=2,
        failure=FailureClass.COOKIE_IO,
        patterns=("permission denied…cookie",),
        explanation="a cookie file on this machine could not be read or written",
        next_step="check the owner and the mode of the file, then run it again",
    ),
    Row(
        number=3,
        failure=FailureClass.COOKIE_ROTATED,
        patterns=("cookies are no longer valid", "likely been rotated"),
        helps_backup=YES,
        helps_none=MAYBE,
        slot_verdict=SlotState.DEAD,
        explanation="YouTube ended this login: the cookies no longer work",
        next_step=IMPORT,
    ),
    Row(
        number=4,
        failure=FailureClass.COOKIE_MISSING,
        patterns=("login details are needed",),
        helps_login=YES,
        helps_backup=YES,
        slot_verdict=SlotState.DEAD,
        explanation="this needs a login, and the cookies that were used hold none",
        next_step=IMPORT,
    ),
    Row(
        number=5,
        failure=FailureClass.PRIVATE,
        patterns=("private video", "video is private"),
        helps_login=YES,
        explanation="the video is private",
        next_step="use the cookies of an account that was given access",
    ),
    Row(
        number=6,
        failure=FailureClass.MEMBERS_ONLY,
        patterns=("members-only content", "this channel's members", "join this channel"),
        helps_login=YES,
        explanation="the video is for the channel's members",
        next_step="use the cookies of an account that is a member",
    ),
    Row(
        number=7,
        failure=FailureClass.AGE_GATE,
        patterns=(
            "sign in to confirm your age",
            "age-restricted",
            "inappropriate for some users",
            "confirm your age",
        ),
        helps_login=YES,
        helps_backup=YES,
        helps_none=MAYBE,
        explanation="the video is age-restricted, and YouTube does not know that you may see it",
        next_step="confirm your age in your browser, then import its cookies again",
    ),
    Row(
        number=8,
        failure=FailureClass.BOT_CHECK,
        patterns=("not a bot", "confirm you're not"),
        helps_login=YES,
        helps_backup=MAYBE,
        slot_verdict=SlotState.COOLING,
        cool_minutes=HOUR,
        stops_run=True,
        explanation="YouTube suspects a bot behind this address or account",
        next_step="wait an hour or more, then download fewer videos at once",
    ),
    Row(
        number=9,
        failure=FailureClass.CAPTCHA,
        patterns=("captcha challenge before playback",),
        helps_backup=MAYBE,
        slot_verdict=SlotState.COOLING,
        cool_minutes=DAY,
        stops_run=True,
        explanation="YouTube wants a person to solve a captcha before it plays anything",
        next_step="watch a video with that account in your browser, then import its cookies again",
    ),
    Row(
        number=10,
        failure=FailureClass.RATE_LIMIT_ACCOUNT,
        patterns=("your account has been rate-limited",),
        helps_none=YES,
        slot_verdict=SlotState.COOLING,
        cool_minutes=HOUR,
        explanation="YouTube limits the account for up to an hour: too many videos in a short time",
        next_step=WAIT,
    ),
    Row(
        number=11,
        failure=FailureClass.RATE_LIMIT_GUEST,
        patterns=("the current session has been rate-limited", "try again later"),
        helps_login=YES,
        helps_backup=YES,
        stops_run=True,
        explanation="YouTube limits this address for up to an hour, because it saw no login",
        next_step=WAIT,
    ),
    Row(
        number=12,
        failure=FailureClass.ACCOUNT_FLAGGED,
        patterns=("page needs to be reloaded",),
        helps_backup=MAYBE,
        helps_none=YES,
        explanation="YouTube answers this account in a way that this yt-dlp does not understand",
        next_step="update yt-dlp, or download public videos with the policy 'when_needed'",
    ),
    Row(
        number=13,
        failure=FailureClass.IP_BLOCK,
        patterns=("all player responses are invalid", "your ip is likely being blocked"),
        stops_run=True,
        explanation="YouTube blocks this address",
        next_step="wait a day, then download less at once; the cookies are not to blame",
    ),
    Row(
        number=14,
        failure=FailureClass.WEBPAGE_BLOCKED,
        patterns=("playlists that require authentication may not extract correctly",),
        helps_backup=MAYBE,
        helps_none=MAYBE,
        retry=RetryRule(tries=2),
        explanation="YouTube did not give the signed-in page of this list",
        next_step="run it again later",
    ),
    Row(
        number=15,
        failure=FailureClass.NOT_AUTHENTICATED,
        patterns=("the playlist does not exist",),
        helps_login=YES,
        helps_backup=YES,
        slot_verdict=SlotState.DEAD,
        explanation="YouTube does not show your own lists: the login has ended",
        next_step=IMPORT,
    ),
    Row(
        number=15,
        failure=FailureClass.NOT_FOUND,
        patterns=("the playlist does not exist",),
        helps_login=MAYBE,
        explanation="the playlist does not exist, or is somebody's private list",
        next_step="check the URL in your browser",
    ),
    Row(
        number=16,
        failure=FailureClass.RATE_LIMIT_IP,
        patterns=("http error 429", "too many requests"),
        retry=RetryRule(tries=4),
        explanation="YouTube got too many requests from this address",
        next_step="run it again later, with fewer downloads at once",
    ),
    Row(
        number=17,
        failure=FailureClass.MEDIA_FORBIDDEN,
        patterns=("http error 403", "unable to download video data", "fragment … not found"),
        unless=TRANSPORT,
        helps_none=YES,
        retry=RetryRule(tries=2),
        explanation="YouTube refused to send the video's data",
        next_step="run it again; if that does not help, update yt-dlp",
    ),
    Row(
        number=18,
        failure=FailureClass.NO_FORMATS,
        patterns=(
            "requested format is not available",
            "only images are available",
            "no video formats found",
            "missing a url",
            "sabr",
        ),
        defers=True,
        helps_backup=MAYBE,
        helps_none=YES,
        retry=RetryRule(tries=1),
        explanation="YouTube offered nothing to download in this quality",
        next_step="check that deno is installed and yt-dlp up to date, or choose another quality",
    ),
    Row(
        number=19,
        failure=FailureClass.GEO,
        patterns=("not made this video available in your country", "blocked it in your country"),
        types=("GeoRestrictedError",),
        explanation="the video is not available in this country",
        next_step=NOTHING,
    ),
    Row(
        number=20,
        failure=FailureClass.DRM,
        patterns=("drm protected",),
        explanation="the video is protected against copying",
        next_step=NOTHING,
    ),
    Row(
        number=21,
        failure=FailureClass.NOT_YET,
        patterns=(
            "premieres in",
            "live event will begin",
            "will begin in",
            "will begin shortly",
            "is not currently live",
        ),
        types=("UserNotLive",),
        explanation="the video is announced, but not there yet",
        next_step="run it again after it was published",
    ),
    Row(
        number=22,
        failure=FailureClass.PAID,
        patterns=("requires payment", "premium members"),
        helps_login=YES,
        explanation="the video must be paid for",
        next_step="use the cookies of an account that has bought it",
    ),
    Row(
        number=23,
        failure=FailureClass.REMOVED,
        patterns=("has been removed", "account … terminated", "no longer available", "copyright"),
        explanation="the video was removed",
        next_step=NOTHING,
    ),
    Row(
        number=24,
        failure=FailureClass.UNAVAILABLE,
        patterns=("video unavailable", "this video is not available", "content isn't available"),
        unless=("try again",),
        helps_none=MAYBE,
        explanation="YouTube says that the video is not available, without a reason",
        next_step="look at it in your browser",
    ),
    Row(
        number=25,
        failure=FailureClass.EXTRACT_TRANSIENT,
        patterns=(
            "failed to extract any player response",
            "incomplete data received",
            "incomplete yt initial data",
            "unknown error",
            "failed to parse json",
            "an extractor error has occurred",
            "http error 5",
        ),
        defers=True,
        retry=RetryRule(tries=4),
        explanation="YouTube answered with something incomplete",
        next_step="run it again later; if it persists, update yt-dlp",
    ),
    Row(
        number=26,
        failure=FailureClass.NETWORK,
        patterns=TRANSPORT,
        types=TRANSPORT_TYPES,
        retry=RetryRule(tries=4),
        explanation="the connection to YouTube failed or broke off",
        next_step="check the network, JARKEEPER_PROXY and JARKEEPER_CA_FILE, then run it again",
    ),
    Row(
        number=27,
        failure=FailureClass.CONFIG,
        patterns=("no supported javascript runtime",),
        explanation="there is no JavaScript runtime, which yt-dlp needs for YouTube",
        next_step="install deno, for example with `pip install 'jarkeeper[media]'`",
    ),
    Row(
        number=28,
        failure=FailureClass.DISK_FULL,
        patterns=("no space left", "disk quota exceeded", "read-only file system"),
        stops_run=True,
        explanation="nothing more can be written to the destination",
        next_step="make room there, then run it again; partial files are resumed",
    ),
    Row(
        number=28,
        failure=FailureClass.LOCAL,
        patterns=(*LOCAL_STARTS, "ffmpeg", "ffprobe", "permission denied", "[errno"),
        types=("PostProcessingError", "FFmpegPostProcessorError", "PermissionError"),
        retry=RetryRule(tries=1),
        explanation="the download arrived, but could not be stored or merged on this machine",
        next_step="check the destination, and that ffmpeg works",
    ),
    Row(
        number=29,
        failure=FailureClass.BAD_TARGET,
        patterns=(
            "does not have a … tab",
            "redirected to youtube.com home page",
            "failed to resolve url",
        ),
        explanation="there is no such channel, playlist or tab",
        next_step="check the URL in your browser",
    ),
)

UNKNOWN = Row(
    number=30,
    failure=FailureClass.UNKNOWN,
    retry=RetryRule(tries=1),
    explanation="yt-dlp gave a reason that is not known here",
    next_step="update yt-dlp; if it persists, report the detail that stands beside this",
)

OPEN_LIMIT = Row(
    number=31,
    failure=FailureClass.OPEN_LIMIT,
    stops_run=True,
    explanation="the jar was opened as often as its limit for an hour allows",
    next_step="see `jarkeeper audit` for what opens it so often, and run it again in the next "
    "hour; with `--beyond-limit` it does not wait, and that goes on record",
)
"""No text of yt-dlp: the vault says so before YouTube is asked. All slots share the limit."""
