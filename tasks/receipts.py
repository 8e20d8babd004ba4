"""What a flow that looks after the vault leaves behind; a page of it becomes an artifact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from prefect import task
from prefect.artifacts import create_markdown_artifact

from tasks.incidents import Settled
from tasks.options import IN_PROCESS
from tasks.report import escaped


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done, in a sentence, in lines, and in figures. There is no secret in it."""

    sentence: str
    lines: tuple[str, ...] = ()
    figures: Mapping[str, int | float | str] = field(default_factory=dict)
    incidents: Settled = field(default_factory=Settled)

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            "; ".join(filter(None, (self.sentence, other.sentence))),
            self.lines + other.lines,
            {**self.figures, **other.figures},
            self.incidents + other.incidents,
        )


@task(name="publish", task_run_name="write the report", **IN_PROCESS)
def publish(receipt: Receipt, key: str) -> str:
    """Publish the receipt as an artifact; return it in one sentence.

    Args:
        receipt: What was done.
        key: What the artifact is called.
    """
    create_markdown_artifact(markdown=page_of(receipt), key=key, description=receipt.sentence)
    return receipt.sentence


def page_of(receipt: Receipt) -> str:
    """Return the receipt as a page."""
    incidents = receipt.incidents
    parts = [
        f"# {escaped(receipt.sentence)}",
        _list(receipt.lines),
        _table(receipt.figures),
        _section("Incidents opened", incidents.opened),
        _section("Incidents that became graver", incidents.escalated),
        _section("Incidents closed", incidents.closed),
        _section("What did not work", incidents.warnings),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def _section(heading: str, items: tuple[str, ...]) -> str:
    return f"## {heading}\n\n{_list(items)}" if items else ""


def _list(items: tuple[str, ...]) -> str:
    return "\n".join(f"- {escaped(item)}" for item in items)


def _table(figures: Mapping[str, int | float | str]) -> str:
    if not figures:
        return ""
    rows = (f"| {escaped(name)} | {escaped(str(value))} |" for name, value in figures.items())
    return "\n".join(("| figure | value |", "|---|---|", *rows))
