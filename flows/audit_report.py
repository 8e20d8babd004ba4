"""The report as files, on a schedule or ad hoc, with its essentials as an artifact.

from flows.audit_report import audit_report

audit_report("weekly")
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from prefect import flow, runtime

from flows.ending import concluded
from flows.places import place_of
from jarkeeper.report.periods import Period, span_before
from jarkeeper.since import parse_since
from jarkeeper.vault import Vault
from tasks.audit_report import essentials, gather_content, write_report
from tasks.opening import Opening
from tasks.receipts import Receipt


def run_name() -> str:
    """Return the flow run's name, such as 'audit-report weekly'."""
    parameters = runtime.flow_run.parameters
    about = parameters.get("since") or parameters["period"]
    return f"{runtime.flow_run.flow_name} {about}"


@flow(name="audit-report", flow_run_name=run_name, persist_result=False)
def audit_report(
    period: Period = "weekly",
    since: str | None = None,
    out: Path = Path("reports"),
    manager: str | None = None,
) -> Receipt:
    """Report on whole days that are over: key figures, cookies, incidents, integrity.

    A page, a JSON document and CSV files are written; those of an earlier run about the same
    days are written over.

    Args:
        period: The last day, the last seven days, or the last month of the calendar, in UTC.
        since: Instead of a period, a span such as 12h or 7d, or a date; it ends now.
        out: The folder for the files. A relative one is below the current folder, or below the
            home folder when a worker runs it.
        manager: The CookieManager block that says where the vault is. Empty: the environment says.
    """

    def work(where: Opening, vault: Vault) -> Receipt:
        now = datetime.now(UTC)
        start, end = span_before(period, now=now)
        if since:
            start, end = parse_since(since, now=now, option="since"), now
        content = gather_content(where, vault, start, end)
        files = write_report(content, place_of(out))
        return essentials(content, files)

    return concluded(work, manager=manager)  # type: ignore[return-value]  # Prefect unwraps it
