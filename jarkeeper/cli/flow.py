"""`--flow`: the same run as a Prefect flow, on a server if there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from jarkeeper.cli.server import be_patient, check_server, imported

if TYPE_CHECKING:
    from jarkeeper.downloads.receipts import Summary
    from jarkeeper.downloads.request import DownloadRequest
    from jarkeeper.settings import Settings

PLACE = ("JARKEEPER_VAULT", "COOKIE_S3_BUCKET", "COOKIE_S3_PREFIX")


def run_as_flow(settings: Settings, request: DownloadRequest, *, quiet: bool) -> Summary:
    """Run the flow, which tells its own story by Prefect's logs on standard error."""
    be_patient()
    if quiet:
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    told = settings.environment()
    for name in PLACE:  # a vault that was named on the command line takes their place
        os.environ.pop(name, None)
        os.environ.update({name: told[name]} if name in told else {})
    flows = imported("flows.download", wanted_by="--flow")
    check_server()
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
