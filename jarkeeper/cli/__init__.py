"""The command line. Each command has a module here, imported when it is the one that runs."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the process was started with, and end with its exit code."""
    try:
        from jarkeeper.cli.group import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    sys.exit(code)
