"""The report for machines: one JSON document, and a CSV file for each frame."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from jarkeeper.report.content import FRAMES, Content
from jarkeeper.report.headline import judge
from jarkeeper.report.readings import is_none
from jarkeeper.words import printable, utc_text

if TYPE_CHECKING:
    from pandas import DataFrame

FORMAT = 1
_FORMULA = re.compile("(^|;)([\\s\ufffd]*[=+\\-@\uff1d\uff0b\uff0d\uff20])")
"""A spreadsheet may run a cell that begins so, and cut cells at semicolons: it drops what is blank,
reads wide signs as narrow ones, and a control, which we have replaced, is blank to another."""


def document(content: Content) -> dict[str, Any]:
    """Return the whole report as plain values; what is not known is None."""
    headline = judge(content)
    return {
        "format": FORMAT,
        "vault": content.vault,
        "place": content.place,
        "since": utc_text(content.since),
        "until": utc_text(content.until),
        "made_at": utc_text(content.made_at),
        "verdict": {
            "severity": headline.severity.value,
            "sentence": headline.sentence,
            "points": [asdict(point) for point in headline.points],
            "more": headline.more,
        },
        "figures": _figures(content),
        "findings": [asdict(finding) for finding in content.findings],
        "integrity": {
            **asdict(content.integrity),
            "discrepancies": [
                {"code": code, "message": message}
                for code, message in content.integrity.discrepancies
            ],
        },
        "retention": asdict(content.retention),
        "reach": asdict(content.reach) | {"is_enough": content.reach.is_enough},
        "frames": {name: _rows(getattr(content, name)) for name in FRAMES},
    }


def as_json(content: Content) -> str:
    """Return the document as text, in ASCII: nothing in it can steer a terminal."""
    return json.dumps(document(content), indent=2, allow_nan=False) + "\n"


def as_csv(content: Content) -> Mapping[str, str]:
    """Return the text of each CSV file by its name."""
    import pandas as pd

    findings = [
        asdict(finding) | {"severity": finding.severity.value} for finding in content.findings
    ]
    frames: dict[str, DataFrame] = {
        "figures": pd.DataFrame(_figures(content)),
        "findings": pd.DataFrame(
            findings, columns=["severity", "code", "jar", "message", "next_step"]
        ),
        **{name: getattr(content, name) for name in FRAMES},
    }
    return {f"{name}.csv": _csv(frame) for name, frame in frames.items()}


def _figures(content: Content) -> list[dict[str, Any]]:
    states = {figure: content.state_of(figure) for figure in content.figures}
    return [
        asdict(figure) | {"state": state.value, "is_met": state.is_met}
        for figure, state in states.items()
    ]


def _rows(frame: DataFrame) -> list[dict[str, Any]]:
    return [
        {name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records")
    ]


def _plain(value: Any) -> Any:
    if is_none(value):
        return None
    if isinstance(value, datetime):
        return utc_text(value)
    return value.item() if hasattr(value, "item") else value


def _csv(frame: DataFrame) -> str:
    import pandas as pd

    rows = [{name: _cell(value) for name, value in row.items()} for row in _rows(frame)]
    # As objects, or a column of numbers with a gap would turn into floats.
    shown = pd.DataFrame(rows, columns=list(frame.columns), dtype=object)
    return str(shown.to_csv(index=False, lineterminator="\n"))


def _cell(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = printable(value)
    return _FORMULA.sub(r"\1'\2", text)
