"""Videos in a folder, downloaded with cookies from the vault: the flow that people run.

    from flows.download import download

    download(["https://www.youtube.com/watch?v=…"])

How it ends: Completed when every video is there; PartlyDone, a kind of Completed, when some are;
Failed when none is, when YouTube or the limit on opens said stop, or when the vault or the request
cannot be used. A run of a deployment whose videos need a login while there is none is Suspended,
which frees its process, and goes on once there is one: what arrived is in the ledger.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from prefect import flow, runtime
from prefect.client.schemas.objects import State
from prefect.futures import PrefectFuture
from prefect.states import Completed, Failed, Suspended
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows.ending import failed
from flows.metadata import run_name, tag, tags_after, tags_before
from flows.notices import Notices
from flows.places import place_of
from jarkeeper.downloads.downloader import Downloader
from jarkeeper.downloads.receipts import Summary, Video
from jarkeeper.downloads.request import DownloadRequest, Quality
from jarkeeper.errors import JarkeeperError
from jarkeeper.lifecycle.conditions import conditions_of, scope_of_jar
from jarkeeper.lifecycle.soundness import Seen
from jarkeeper.limits import LIMITS
from jarkeeper.settings import Settings
from jarkeeper.youtube.policy import CookiePolicy, RetryPolicy
from tasks.expand import expand
from tasks.fetch import Batch, chunks, fetch
from tasks.finish import finish
from tasks.incidents import settle
from tasks.opening import JAR, Opening, opening
from tasks.prepare import prepare
from tasks.report import report, sentence_of
from tasks.retries import with_retries
from tasks.waiting import WAIT_SECONDS, waits_tag

TASK_RUNNER: ThreadPoolTaskRunner[Any] = ThreadPoolTaskRunner(max_workers=16)
"""Each waits in a thread of its own, also between tries; more than ten, so that none is held up."""

AtOnce = Annotated[int, Field(json_schema_extra={"minimum": 1, "maximum": LIMITS.concurrency_max})]
"""The form's range. The request checks it: where Prefect refuses one value, it logs all of them."""


class DownloadFailed(JarkeeperError):
    """No video arrived, or the run was stopped; `summary` tells which and why."""

    def __init__(self, summary: Summary) -> None:
        super().__init__(sentence_of(summary))
        self.summary = summary


@flow(
    name="download",
    flow_run_name=run_name,
    task_runner=TASK_RUNNER,  # type: ignore[arg-type]  # its futures are a kind of PrefectFuture
    persist_result=False,
)
def download(
    urls: list[str],
    jar: str | None = None,
    destination: Path = Path("downloads"),
    cookies: CookiePolicy = CookiePolicy.ALWAYS,
    quality: Quality = Quality.BEST,
    concurrency: AtOnce | None = None,
    manager: str | None = None,
    beyond_limit: bool = False,
) -> Summary:
    """Download YouTube videos with cookies from the vault.

    The cookies are validated first. When the active ones die, the backup takes over; what YouTube
    refreshed is written back. Failures that may pass are tried again, later and later. What needs a
    login while there is none is put off: a run of a deployment then waits for fresh cookies, and
    goes on by itself.

    Args:
        urls: YouTube videos, playlists or channels: links, or ids of eleven characters.
        jar: The jar whose cookies are used. Empty: the cookie manager's, or else 'youtube'.
        destination: The folder for the videos, where the run happens. A relative one is below the
            current folder, or below the home folder when a worker runs it.
        cookies: When cookies are used: always, only when a video needs them, or never.
        quality: The tallest picture to take, or 'audio' for the sound alone.
        concurrency: How many videos are downloaded at once, from 1 to 32. Empty:
            JARKEEPER_CONCURRENCY.
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
        beyond_limit: Open the jar even if it was opened as often this hour as
            COOKIE_OPENS_PER_HOUR allows. This goes on record in the audit trail.
    """
    try:
        where = opening(manager, jar)
        settings = where.settings
        request = DownloadRequest.of(
            tuple(urls),
            place_of(destination),
            jar=where.jar or JAR,
            cookies=cookies,
            quality=quality,
            concurrency=settings.concurrency if concurrency is None else concurrency,
            beyond_limit=beyond_limit,
        )
        summary = run(settings, request)
        if summary.slot_states:
            tell(where, summary.jar)
    except JarkeeperError as error:
        return failed(error)  # type: ignore[return-value]  # Prefect unwraps it
    return final_state(summary)  # type: ignore[return-value]  # Prefect unwraps it


def run(settings: Settings, request: DownloadRequest) -> Summary:
    """Prepare, list, fetch and finish, telling what happens meanwhile; return the whole run."""
    notices = Notices(request.jar)
    with Downloader(
        settings,
        request,
        listener=notices.hear,
        actor="flow",
        flow_run=str(runtime.flow_run.id),
    ) as downloader:
        preparation = prepare(downloader)
        tag(tags_before(preparation))
        retries = RetryPolicy(settings.retry_seconds)
        videos = with_retries(expand, retries)(downloader)
        notices.begin(videos)
        fetch_all(downloader, videos, notices=notices, retries=retries)
        summary = finish(downloader)
        notices.end(sentence_of(summary))
    waits = (waits_tag(summary.jar),) if has_to_wait(summary) else ()
    tag((*tags_before(preparation), *tags_after(summary, notices.slot_states), *waits))
    report(summary)
    return summary


def tell(where: Opening, jar: str) -> None:
    """Put on record what the run found out about the cookies, and tell who must know."""
    vault = where.vault()
    head = vault.status(jar)
    if head is not None:
        found = conditions_of(head, now=vault.ports.clock(), settings=where.settings)
        settle(where, vault, Seen(found, scope_of_jar(jar)))


def fetch_all(
    downloader: Downloader,
    videos: tuple[Video, ...],
    *,
    notices: Notices,
    retries: RetryPolicy,
) -> None:
    """Have all chunks fetched at once; the threads that they share bound what is under way."""
    fetch_part = with_retries(fetch, retries)
    parts = chunks(videos)
    with Batch(downloader) as batch:
        futures: list[PrefectFuture[Any]] = [
            fetch_part.submit(batch, part, f"videos {number} of {len(parts)}")
            for number, part in enumerate(parts, start=1)
        ]
        notices.until_done(futures)
        for future in futures:
            future.result()


def final_state(summary: Summary) -> State[Any]:
    """Return the state that the run ends in; its message is the run in one sentence."""
    sentence = sentence_of(summary)
    if summary.succeeded:
        return Completed(message=sentence, data=summary)
    if has_to_wait(summary):
        return Suspended(message=f"waits for a login: {sentence}", timeout_seconds=WAIT_SECONDS)
    arrived = summary.downloaded + summary.already_there
    if summary.stopped is None and (arrived or not summary.failed):
        return Completed(name="PartlyDone", message=sentence, data=summary)
    return Failed(message=sentence, data=DownloadFailed(summary))


def has_to_wait(summary: Summary) -> bool:
    """Return whether the run is one that can wait for a login, and has something to wait for."""
    return bool(summary.put_off) and summary.stopped is None and runtime.deployment.id is not None
