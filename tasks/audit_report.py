"""A report step by step: gathered and verified, written as files, told in an artifact."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from prefect import task

from jarkeeper.report.content import Content
from jarkeeper.report.exports import as_csv, as_json
from jarkeeper.report.gathering import gather
from jarkeeper.report.headline import judge
from jarkeeper.report.page import page
from jarkeeper.report.parts import integrity_words, reach_note
from jarkeeper.report.readings import figure_text, target_text
from jarkeeper.report.writing import name_of, write_files
from jarkeeper.vault import Vault
from tasks.opening import Opening
from tasks.options import IN_PROCESS
from tasks.receipts import Receipt


@task(name="gather", task_run_name="read and verify the trail", **IN_PROCESS)
def gather_content(opening: Opening, vault: Vault, since: datetime, until: datetime) -> Content:
    """Return what happened in the span, with the verdict on the whole trail.

    Args:
        opening: The settings in force.
        vault: The vault.
        since: The first moment of the span.
        until: The first moment after it.
    """
    return gather(vault, opening.settings, since=since, until=until, now=datetime.now(UTC))


@task(name="write report", task_run_name="write page and numbers", **IN_PROCESS)
def write_report(content: Content, folder: Path) -> tuple[Path, ...]:
    """Write the page, the JSON document and the CSV files; return where they are.

    Args:
        content: What is told.
        folder: Where to. It is made if it is missing.
    """
    name = name_of(content)
    texts = {
        folder / f"{name}.html": page(content),
        folder / f"{name}.json": as_json(content),
        **{folder / name / file: text for file, text in as_csv(content).items()},
    }
    return write_files(texts, overwrite=True)


@task(name="essentials", task_run_name="sum the report up", **IN_PROCESS)
def essentials(content: Content, files: tuple[Path, ...]) -> Receipt:
    """Return the verdict, what to do, and the key figures: what an artifact has room for.

    Args:
        content: What is told.
        files: Where all of it is written, the page first.
    """
    headline = judge(content)
    points = tuple(
        f"{point.severity.value}: {point.what}" + (f"; {point.step}" if point.step else "")
        for point in headline.points
    )
    more = (f"and {headline.more} more",) if headline.more else ()
    note = (said,) if (said := reach_note(content)) else ()
    places = tuple(f"written: {place}" for place in files[:2])
    return Receipt(
        headline.sentence.removesuffix("."),
        (*note, *points, *more, *integrity_words(content.integrity), *places),
        {
            figure.name: f"{figure_text(figure)} (target {target_text(figure)}): "
            f"{content.state_of(figure).value}"
            for figure in content.figures
        },
    )
