"""The vault, its trail and the machine are examined; what is found becomes conditions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from prefect import get_run_logger, task

from jarkeeper.audit.backlog import find_backlog
from jarkeeper.audit.patterns import HISTORY, find_patterns
from jarkeeper.audit.usage import principal_of, usage_by_day
from jarkeeper.checks import Finding, Severity
from jarkeeper.doctor import examine_machine
from jarkeeper.lifecycle.soundness import Seen, seen_in_patterns
from jarkeeper.vault import Vault
from jarkeeper.words import count_of, printable
from tasks.deployments import examine_server
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt

GRAVE_FIRST = (Severity.CRITICAL, Severity.WARNING)


@task(name="examine", task_run_name="examine vault and machine", **IN_PROCESS)
def examine(opening: Opening, vault: Vault) -> tuple[Finding, ...]:
    """Read and verify the vault, look at the machine and at the deployments; return all findings.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    now = vault.ports.clock()
    around = (*examine_machine(opening.settings), *examine_server(now=now))
    machine = (replace(item, message=f"{item.code}: {item.message}") for item in around)
    days = opening.settings.archive_days
    backlog = find_backlog(vault.trail.store, now=now, archive_days=days)
    found = (*vault.check(checkpoint=True), backlog, *machine)
    log = get_run_logger()
    for finding in found:
        if finding.severity is not Severity.OK:
            log.warning("%s; next: %s", printable(finding.message), finding.next_step)
    return found


@task(name="patterns", task_run_name="look at the audit trail as a whole", **IN_PROCESS)
def trail_shows(opening: Opening, vault: Vault) -> Seen:
    """Return what two weeks of the audit trail show: failures, odd opens, strangers, gaps.

    Args:
        opening: The settings in force.
        vault: The vault.
    """
    now = vault.ports.clock()
    events = vault.trail.read(now - HISTORY)
    return seen_in_patterns(find_patterns(events, now=now, settings=opening.settings))


@task(name="usage", task_run_name="count what the cookies were used for", **IN_PROCESS)
def usage(vault: Vault, days: int) -> Receipt:
    """Return success rate, failures by class and refreshes of the last days, for each jar.

    Args:
        vault: The vault.
        days: How many days to look back.
    """
    since = vault.ports.clock() - timedelta(days=days)
    events = tuple(vault.trail.read(since))
    lines, figures = [], dict[str, int | float | str]()
    rows = usage_by_day(events)
    for jar in sorted({row.jar for row in rows if row.jar}):
        mine = [row for row in rows if row.jar == jar]
        videos, arrived = sum(row.videos for row in mine), sum(row.succeeded for row in mine)
        rate = f"{100 * arrived / videos:.1f} %" if videos else "none tried"
        lines.append(f"{jar}: {count_of(videos, 'try')}, success {rate}")
        figures |= {
            f"{jar}: opens": sum(row.opens for row in mine),
            f"{jar}: failures because of cookies": sum(row.cookie_failures for row in mine),
        }
        for row in mine:
            for failure, count in row.failures.items():
                name = f"{jar}: {failure}"
                figures[name] = int(figures.get(name, 0)) + count
    figures["refreshes"] = sum(event.action == "write-back" for event in events)
    return Receipt("", tuple(lines) or ("nothing was used",), figures)


@task(name="principals", task_run_name="list who used the vault", **IN_PROCESS)
def principals(vault: Vault, days: int) -> Receipt:
    """Return who used the vault in the last days, and how often.

    Args:
        vault: The vault.
        days: How many days to look back.
    """
    counts: dict[str, int] = {}
    for event in vault.trail.read(vault.ports.clock() - timedelta(days=days)):
        who = principal_of(event.actor)
        counts[who] = counts.get(who, 0) + 1
    return Receipt("", tuple(f"{who}: {count_of(n, 'event')}" for who, n in sorted(counts.items())))


def as_receipt(findings: tuple[Finding, ...]) -> Receipt:
    """Return the findings as lines, the gravest first, and how many of each there are."""
    grave = [item for severity in GRAVE_FIRST for item in findings if item.severity is severity]
    lines = tuple(f"{item.severity}: {item.message}; next: {item.next_step}" for item in grave)
    counts = {word.value: sum(item.severity is word for item in findings) for word in Severity}
    said = f"{counts['critical']} critical, {count_of(counts['warning'], 'warning')}"
    return Receipt(said, lines, figures=dict(counts))
