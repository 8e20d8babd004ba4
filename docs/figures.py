"""The page of key figures, from the definitions in the code."""

from __future__ import annotations

from jarkeeper.analysis.figures import DEFINITIONS, Definition, State
from jarkeeper.analysis.queries import HISTORY

PAGE = """# Key figures

Computed from the audit trail alone, for a span of time whose first moment belongs to it and whose
end does not. Days are those of UTC. A figure has no value where nothing happened that it could be
computed from. Each is defined once, in `jarkeeper/analysis/figures.py` and
`jarkeeper/analysis/sql/`; this page is written from there.

Where the trail is not intact, in whatever place, no figure is met or missed. The state of each is
"{not_known}": what was removed or changed may be what counts. Its
value is then only what the rest of the trail comes to.

The same holds where not all of the span is on record: events of it are past their retention, or it
begins before the trail does. The state is then "{not_on_record}".
Where the trail begins with its vault, nothing happened before: figures are of the time since.
`jarkeeper/report/reach.py` says which it is, for the monthly statement as well.

| | key figure | target |
|---|---|---|
{rows}

What goes on in a span may have begun before it: incidents, and the cookies in use. For these the
{history} days before the span, its *history*, are read too. An incident that was opened even
earlier shows once it is closed: its end tells how long it took. A value on its target does not
reach it yet, unless the target is 0.

{sections}"""

SECTION = """## {id}: {name}

{meaning}

- Computed from: {sources}.
- Not counted: {left_out}.
- Its *n* is the number of {counted}.
"""


def figures_page() -> str:
    """Return what each key figure means."""
    rows = "\n".join(f"| {one.id} | {one.name} | {target_of(one)} |" for one in DEFINITIONS)
    sections = "\n".join(
        SECTION.format(
            id=one.id,
            name=one.name,
            meaning=one.meaning,
            sources=one.sources,
            left_out=one.left_out,
            counted=one.counted[1],
        )
        for one in DEFINITIONS
    )
    return PAGE.format(
        rows=rows,
        sections=sections,
        history=HISTORY.days,
        not_known=State.NOT_KNOWN,
        not_on_record=State.NOT_ON_RECORD,
    )


def target_of(one: Definition) -> str:
    """Return the target as one would say it."""
    if one.target == 0:
        return "0"
    return f"{'above' if one.at_least else 'below'} {one.target:g} {one.unit}"
