"""Write what Athena needs: `python infrastructure/athena/render.py SINCE UNTIL FOLDER BUCKET`.

Moments are like `2026-11-01` or `2026-11-01T06:00+01:00`, UTC where they do not say otherwise. The
bucket may be followed by the vault's prefix. The folder gets `tables.sql`, of which each statement
is run once, and a file for each query.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from jarkeeper.analysis.athena import written
from jarkeeper.analysis.queries import Span
from jarkeeper.errors import InputError


def main(words: list[str]) -> int:
    """Write what the command line asks for; 2 where it cannot be done."""
    if len(words) != 4:
        print(__doc__)
        return 2
    try:
        span = Span(_moment(words[0]), _moment(words[1]))
    except (InputError, ValueError) as error:
        print(f"render: error: {error}", file=sys.stderr)
        return 2
    for name, text in written(span, place=words[3]).items():
        path = Path(words[2], name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def _moment(word: str) -> datetime:
    moment = datetime.fromisoformat(word)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
