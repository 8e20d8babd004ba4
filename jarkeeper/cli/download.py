"""`jarkeeper download`: fetch videos with the vault's cookies."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from jarkeeper.cli.exits import Exit, Interrupted
from jarkeeper.cli.group import Invocation, common_options, jar_option, pass_invocation
from jarkeeper.cli.inputs import Count, Folder
from jarkeeper.cli.output import print_json
from jarkeeper.cli.place import DEFAULT_JAR
from jarkeeper.limits import LIMITS
from jarkeeper.words import count_of

if TYPE_CHECKING:
    from datetime import datetime

    from jarkeeper.cli.screen import Screen
    from jarkeeper.downloads.downloader import Downloader
    from jarkeeper.downloads.receipts import Summary, Video
    from jarkeeper.downloads.request import DownloadRequest
    from jarkeeper.settings import Settings

POLICIES = ("always", "when_needed", "never")
QUALITIES = ("best", "2160p", "1440p", "1080p", "720p", "480p", "360p", "audio")


class Chosen(TypedDict):
    """The options, as click hands them over."""

    list_file: Path | None
    destination: Path
    jar: str
    cookies: str
    quality: str
    concurrency: int | None
    beyond_limit: bool
    wait: bool
    as_flow: bool
    quiet: bool


@click.command(
    "download",
    epilog="\b\nExamples:\n"
    "  jarkeeper download https://youtu.be/dQw4w9WgXcQ\n"
    "  jarkeeper download --from-file list.txt --to ~/Videos --quality 720p\n"
    "  jarkeeper download --cookies when_needed 'https://www.youtube.com/@handle'\n"
    "  jarkeeper download --json -- -dQw4w9WgXc   (an id that begins with '-')\n\n"
    "What is there already is not fetched again, and what was cut off goes on where it "
    "stopped. In a pipe, each finished video is one line on standard output; the rest goes "
    "to standard error.",
)
@click.argument("urls", nargs=-1, metavar="[URL]...")
@click.option(
    "--from-file",
    "list_file",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Take URLs from a file, one a line; '-' is standard input.",
)
@click.option(
    "--to",
    "destination",
    type=Folder(),
    default=Path("downloads"),
    metavar="DIR",
    help="Where the files go.  [default: ./downloads]",
)
@jar_option(words="Whose cookies to use.", default=DEFAULT_JAR)
@click.option(
    "--cookies",
    type=click.Choice(POLICIES),
    default="always",
    show_default=True,
    help="Active cookies first; none first; or none at all.",
)
@click.option(
    "--quality",
    type=click.Choice(QUALITIES),
    default="best",
    show_default=True,
    help="The best picture to take, or the sound alone.",
)
@click.option(
    "--concurrency",
    type=Count(LIMITS.concurrency_max),
    metavar="N",
    help="Downloads at once, instead of JARKEEPER_CONCURRENCY (4).",
)
@click.option(
    "--beyond-limit",
    is_flag=True,
    help="Open the jar even if COOKIE_OPENS_PER_HOUR is reached; this goes on record.",
)
@click.option(
    "--wait",
    is_flag=True,
    help="Where the session is dead, wait for an import with what needs a login.",
)
@click.option("--flow", "as_flow", is_flag=True, help="Run it as the Prefect flow.")
@click.option("-q", "--quiet", is_flag=True, help="Say only what went wrong.")
@common_options
@pass_invocation
def command(invocation: Invocation, urls: tuple[str, ...], **chosen: Unpack[Chosen]) -> Exit:
    """Download videos with the vault's cookies.

    A URL is a video, playlist or channel of YouTube; the id of a video will do.
    """
    from jarkeeper.cli.screen import choose_screen

    settings = invocation.settings()
    request = _request(settings, urls, chosen)
    screen = choose_screen(request.destination, as_json=invocation.as_json, quiet=chosen["quiet"])
    known = _logins(settings, request) if chosen["wait"] else frozenset()
    if chosen["as_flow"]:
        from jarkeeper.cli.flow import run_as_flow

        summary = run_as_flow(settings, request, quiet=chosen["quiet"])
    else:
        summary = _run(settings, request, screen)
    while chosen["wait"] and summary.put_off:
        _settle(settings, request, summary)
        _wait(settings, request, summary, known)
        known = _logins(settings, request)
        screen = choose_screen(
            request.destination, as_json=invocation.as_json, quiet=chosen["quiet"]
        )
        summary = _run(settings, request, screen)
    screen.finished(summary)
    if invocation.as_json:
        print_json(summary.as_dict())
    if not chosen["as_flow"]:
        _settle(settings, request, summary)
    return exit_of_run(summary)


def exit_of_run(summary: Summary) -> Exit:
    """Return the code that tells a script how the run went."""
    if summary.stopped is not None:
        return Exit.STOPPED
    if summary.put_off and not summary.failed:
        return Exit.PUT_OFF
    return Exit.OK if summary.succeeded else Exit.FAILED


def _run(settings: Settings, request: DownloadRequest, screen: Screen) -> Summary:
    from jarkeeper.downloads.downloader import Downloader
    from jarkeeper.downloads.run import expand_all, fetch_all

    # A container is ended by SIGTERM, a closed terminal sends SIGHUP: the worker ends too, and
    # refreshed cookies are kept. Who started us with `nohup` wants us to go on.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: sys.exit(Exit.TERMINATED))
    with screen, Downloader(settings, request, listener=screen.hear, actor="cli") as downloader:
        screen.prepared(downloader.prepare())
        videos = expand_all(downloader)
        screen.planned(videos)
        try:
            fetch_all(downloader, videos)
        except KeyboardInterrupt:
            raise interrupted(downloader, videos) from None
        return downloader.finish()


def _settle(settings: Settings, request: DownloadRequest, summary: Summary) -> None:
    """Have those told who must know what the run has learned of the jar."""
    if summary.slot_states:
        from jarkeeper.cli.watched import settle
        from jarkeeper.wiring import open_vault

        settle(settings, open_vault(settings), request.jar)


def _logins(settings: Settings, request: DownloadRequest) -> frozenset[datetime]:
    from jarkeeper.lifecycle.waiting import logins
    from jarkeeper.wiring import open_vault

    return logins(open_vault(settings), request.jar)


def _wait(
    settings: Settings, request: DownloadRequest, summary: Summary, known: frozenset[datetime]
) -> None:
    """Return once the jar has cookies that can be used; Ctrl-C ends the wait."""
    from jarkeeper.cli.output import Output
    from jarkeeper.lifecycle.waiting import wait_for_login
    from jarkeeper.wiring import open_vault

    output = Output(aside=True)
    output.line(f"{count_of(summary.put_off, 'video')} put off: waiting for `jarkeeper import`")
    try:
        with output.busy("waiting for fresh cookies"):
            wait_for_login(open_vault(settings), request.jar, known=known)
    except KeyboardInterrupt:
        raise Interrupted(f"{count_of(summary.put_off, 'video')} still put off") from None


def interrupted(downloader: Downloader, videos: tuple[Video, ...]) -> Interrupted:
    """Return what ends a run at Ctrl-C, with how far it had come."""
    receipts = (downloader.receipt(video.id) for video in videos)
    arrived = sum(receipt.arrived for receipt in receipts if receipt is not None)
    wanted = count_of(len(videos), "video")
    return Interrupted(f"{arrived} of {wanted} are there; run it again to go on")


def _request(settings: Settings, urls: tuple[str, ...], chosen: Chosen) -> DownloadRequest:
    from jarkeeper.cli.urls import checked_urls
    from jarkeeper.downloads.request import DownloadRequest, Quality
    from jarkeeper.youtube.policy import CookiePolicy

    return DownloadRequest.of(
        checked_urls(urls, chosen["list_file"]),
        chosen["destination"].expanduser(),
        jar=chosen["jar"],
        cookies=CookiePolicy(chosen["cookies"]),
        quality=Quality(chosen["quality"]),
        concurrency=chosen["concurrency"] or settings.concurrency,
        beyond_limit=chosen["beyond_limit"],
    )
