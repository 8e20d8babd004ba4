"""Write what Athena needs: `python infrastructure/athena/render.py SINCE UNTIL FOLDER BUCKET`.

Moments are like `2026-11-01` or `2026-11-01T06:00+01:00`, UTC where they do not say otherwise. The
bucket may be followed by the vault's prefix. The folder gets `tables.sql`, of which each statement
is run once, and a file for each query; what exists is never overwritten.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from jarkeeper.analysis.athena import written
from jarkeeper.analysis.queries import Span
from jarkeeper.errors import InputError
from jarkeeper.report.writing import write_files
from jarkeeper.settings import forms


def main(words: list[str]) -> int:
    """Write what the command line asks for; 2 where it cannot be done."""
    if words in ([], ["-h"], ["--help"]):
        print(__doc__)
        return 0 if words else 2
    if len(words) != 4:
        got = len(words)
        print(
            f"render: error: expected SINCE UNTIL FOLDER BUCKET, got {got} words", file=sys.stderr
        )
        return 2
    try:
        span = Span(_moment(words[0]), _moment(words[1]))
        texts = written(span, place=_place(words[3]))
        files = write_files(
            {Path(words[2], name): text for name, text in texts.items()},
            hint="name another folder",
        )
    except InputError as error:
        print(f"render: error: {error.message}", file=sys.stderr)
        if error.hint:
            print(f"hint: {error.hint}", file=sys.stderr)
        return 2
    print(f"{len(files)} files written to '{words[2]}': run each statement of tables.sql once")
    return 0


def _moment(word: str) -> datetime:
    try:
        moment = datetime.fromisoformat(word)
    except ValueError:
        raise InputError(f"'{word}': expected a moment such as 2026-11-01") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _place(word: str) -> str:
    """Return bucket and prefix by the rules of the settings."""
    bucket, _, prefix = word.removeprefix("s3://").partition("/")
    try:
        return f"{forms.bucket(bucket)}/{forms.prefix(prefix)}".rstrip("/")
    except ValueError as error:
        raise InputError(f"bucket '{word}': {error}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
