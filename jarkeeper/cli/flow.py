"""`--flow`: the same run as a Prefect flow, on a server if there is one."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

from jarkeeper.errors import InputError

if TYPE_CHECKING:
    from jarkeeper.downloads.receipts import Summary
    from jarkeeper.downloads.request import DownloadRequest
    from jarkeeper.settings import Settings

PLACE = ("JARKEEPER_VAULT", "COOKIE_S3_BUCKET", "COOKIE_S3_PREFIX")
STARTUP_SECONDS = 120
"""A temporary server makes its database first; Prefect's 20 s are short on a busy machine."""


def run_as_flow(settings: Settings, request: DownloadRequest, *, quiet: bool) -> Summary:
    """Run the flow, which tells its own story by Prefect's logs on standard error."""
    # Prefect reads them when it is imported; what the user has set stays.
    os.environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", str(STARTUP_SECONDS))
    if quiet:
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    told = settings.environment()
    for name in PLACE:  # a vault that was named on the command line takes their place
        os.environ.pop(name, None)
        os.environ.update({name: told[name]} if name in told else {})
    # By name: the core must not know the flows, which know the core.
    flows = _module("flows.download")
    _check_server()
    try:
        summary: Summary = flows.download(
            [target.url for target in request.targets],
            jar=request.jar,
            destination=request.destination,
            cookies=request.cookies,
            quality=request.quality,
            concurrency=request.concurrency,
            beyond_limit=request.beyond_limit,
        )
    except flows.DownloadFailed as failed:
        summary = failed.summary
    return summary


def _module(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise InputError(
            f"--flow: module '{error.name}' is missing",
            hint="run it in a clone of the repository, or leave --flow out",
        ) from error


def _check_server() -> None:
    """Raise `InputError` if a server is set that gives no answer; without one, Prefect starts it.

    Prefect would raise a plain RuntimeError in the middle of its engine.
    """
    url = _module("prefect.settings").PREFECT_API_URL.value()
    if not url:
        return
    with _module("prefect.client.orchestration").get_client(sync_client=True) as client:
        failure = client.api_healthcheck()
    if failure is not None:
        raise unreachable(url)


def unreachable(url: str) -> InputError:
    """Return the error for a server that gives no answer."""
    return InputError(
        f"Prefect server at {without_login(url)}: cannot be reached",
        hint="start it with `prefect server start`, or unset PREFECT_API_URL for a temporary one",
    )


def without_login(url: str) -> str:
    """Return the URL without a name and password in it."""
    scheme, found, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{found}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
