"""One HTML file that holds all it needs: no request leaves it, and nothing foreign in it runs.

Data for charts lies in islands that no script tag can end. The policy in the head allows the
scripts that stand here, by their hash, and nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from jarkeeper.report import parts
from jarkeeper.report.content import Content
from jarkeeper.report.drawing import Chart
from jarkeeper.report.parts import text_of
from jarkeeper.report.sections import sections

_STYLED_BY_ID = re.compile(r'getElementById\("([0-9a-f]{64})"\)')
_STEERING = re.compile(r"[<>&]")
"""JSON in ASCII has nothing else that HTML would read."""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>{css}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the verdict</a>
<div class="frame">
<header>
<p class="brand">Jarkeeper report</p>
<h1>{heading}</h1>
<p class="about">{about}</p>
</header>
<div class="columns">
<nav aria-label="Contents"><ol>{contents}</ol></nav>
<main id="main" tabindex="-1">
{main}
</main>
</div>
<footer>{footer}</footer>
</div>
{islands}
{scripts}
</body>
</html>
"""


def page(content: Content) -> str:
    """Return the report as one HTML document."""
    middle = tuple(sections(content))
    css = _asset("page.css")
    charted = [part for part in middle if part.chart]
    scripts = (_plotly(), _asset("page.js")) if charted else ()
    titles = [
        ("verdict", "Verdict"),
        ("figures", "Key figures"),
        *((part.id, part.title) for part in middle),
        ("findings", "Findings"),
        ("integrity", "Integrity"),
        ("retention", "Retention"),
    ]
    main = [
        parts.verdict(content),
        parts.figures(content),
        *map(parts.section, middle),
        parts.findings(content),
        parts.integrity(content.integrity),
        parts.retention(content),
    ]
    heading = " to ".join(
        dict.fromkeys(f"{at:%-d %B %Y}" for at in (content.since, content.last_day))
    )
    return PAGE.format(
        policy=_policy(scripts, css),
        title=text_of(f"Jarkeeper report, {heading}"),
        css=css,
        heading=text_of(heading),
        about=parts.about(content),
        contents="".join(
            f'<li><a href="#{id_}">{text_of(title)}</a></li>' for id_, title in titles
        ),
        main="\n".join(main),
        footer=text_of(
            "All times are in UTC. Every number is counted from the audit trail of the vault; "
            "docs/report.md says how to read them."
        ),
        islands="\n".join(_island(part.id, part.chart) for part in charted if part.chart),
        scripts=_styled_already(scripts) + "".join(f"<script>{one}</script>" for one in scripts),
    )


def island_text(value: Any) -> str:
    """Return the value as JSON that can stand in HTML: nothing in it ends or opens a tag."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _policy(scripts: Iterable[str], css: str) -> str:
    """Return what the page may do. Plotly puts rules into style elements that begin empty."""
    allowed = " ".join(map(_hash, scripts)) or "'none'"
    return (
        f"default-src 'none'; script-src {allowed}; style-src {_hash(css)} {_hash('')}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    script: str = get_plotlyjs()
    return script


def _styled_already(scripts: Iterable[str]) -> str:
    """Return the marks by which plotly knows that a style sheet is there.

    It is the one for maps, which we do not draw, and which the policy would refuse aloud.
    """
    marks = dict.fromkeys(mark for one in scripts for mark in _STYLED_BY_ID.findall(one))
    return "".join(f'<i id="{mark}" hidden></i>' for mark in marks)


def _island(id_: str, chart: Chart) -> str:
    data = island_text(list(chart.views.values()))
    return f'<script type="application/json" id="{id_}-data">{data}</script>'


def _asset(name: str) -> str:
    return files("jarkeeper.report").joinpath(name).read_text(encoding="utf-8")
