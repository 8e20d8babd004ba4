"""What the shell completes: jars and generations, as the view of a local vault names them.

A hint for typing, so nothing is opened or verified for it; without an answer there is none. A
bucket is not asked: that takes longer than typing.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jarkeeper.cli.place import DEFAULT_JAR

if TYPE_CHECKING:
    import click

VARIABLE = "_JARKEEPER_COMPLETE"
"""By which a shell's script asks us; click makes the name so."""
DIGITS_SHOWN = 8


def suggest_jars(ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Return the jars that begin with what was typed."""
    return [name for name in _jars(ctx) if name.startswith(typed)]


def suggest_generations(ctx: click.Context, _parameter: click.Parameter, typed: str) -> list[str]:
    """Return the ids, as short as they are shown, of what is in the slots of the jar."""
    jars = _jars(ctx)
    jar = jars.get(ctx.params.get("jar") or DEFAULT_JAR, {})
    slots = (jar.get("active"), *jar.get("backups", ()))
    ids = [slot["generation"]["id"][:DIGITS_SHOWN] for slot in slots if slot]
    return [id_ for id_ in ids if id_.startswith(typed)]


def _jars(ctx: click.Context) -> dict[str, Any]:
    from jarkeeper.names import METADATA_KEY

    invocation: Any = ctx.find_root().obj
    try:
        settings = invocation.settings()
        if settings.s3_bucket is not None:
            return {}
        jars = json.loads((settings.vault / METADATA_KEY).read_text())["jars"]
        return {name: jar for name, jar in jars.items() if "error" not in jar}
    except Exception:  # noqa: BLE001 - whoever presses Tab wants no error in the middle of a line
        return {}
