"""Printing: colours and tables on a terminal, plain lines in a pipe, one document for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from jarkeeper.cli.place import Place, current_place
from jarkeeper.words import printable, utc_text

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

Styled = str | tuple[str, str]
"""A piece of text, or text and a style: `good`, `warn`, `bad`, `quiet`, `strong`."""

STYLES = {
    "good": "green",
    "warn": "yellow",
    "bad": "red",
    "quiet": "dim",
    "strong": "bold",
}
LABEL_WIDTH = 9
NARROW_COLUMNS = 60
WHOLE = ("(UTC)", "action", "event")
"""Ends of the headings of columns that never break over lines: half a moment is read as another."""
SEVERITY_STYLES = {"ok": "good", "warning": "warn", "critical": "bad", "failed": "bad"}
SEVERITY_SIGNS = {"ok": "✓", "warning": "!", "critical": "✗", "failed": "✗"}


@dataclass
class Output:
    """A stream as a person or a pipe sees it. Text from outside is made printable."""

    aside: bool = False
    """Standard error instead of standard output: what is said about the answer."""
    place: Place = field(default_factory=current_place)
    """What the commands in next steps are about."""
    drawn: list[RenderableType] | None = None
    """Where given, what would be printed on the terminal is put here, for a picture."""

    @property
    def stream(self) -> TextIO:
        """Where it goes."""
        return sys.stderr if self.aside else sys.stdout

    @cached_property
    def on_terminal(self) -> bool:
        """Whether a person looks at it as it appears."""
        return self.stream.isatty()

    @cached_property
    def console(self) -> Console:
        """Rich's console; loaded only where there is a terminal to draw on."""
        from rich.console import Console
        from rich.theme import Theme

        return Console(
            file=self.stream, theme=Theme(STYLES), highlight=False, markup=False, emoji=False
        )

    @property
    def is_narrow(self) -> bool:
        """Whether a table must do with fewer columns."""
        return not self.has_room(NARROW_COLUMNS)

    def has_room(self, columns: int) -> bool:
        """Whether a line may be so long; a pipe is as wide as it has to be."""
        return not self.on_terminal or self.console.width >= columns

    def line(self, *parts: Styled) -> None:
        """Print one line of the parts."""
        if not self.on_terminal:
            print("".join(_plain(part) for part in parts), file=self.stream)
            return
        from rich.text import Text

        self._show(Text.assemble(*map(_styled, parts)))

    def entry(self, label: str, *parts: Styled) -> None:
        """Print a line with a label before it; on a terminal, what wraps stays right of it."""
        parts = tuple(self._fitted(part) for part in parts)
        if not self.on_terminal:
            self.line(f"{label:<{LABEL_WIDTH}}", *parts)
            return
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid()
        grid.add_column(width=LABEL_WIDTH)
        grid.add_row(Text(label, "quiet"), Text.assemble(*map(_styled, parts)))
        self._show(grid)

    def busy(self, what: str) -> AbstractContextManager[object]:
        """Show, for the length of a `with` block, that something takes its time."""
        if not self.on_terminal:
            return nullcontext()
        return self.console.status(f"{what} …", spinner_style="quiet")

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[Styled]]) -> None:
        """Print rows under headings; in a pipe without frame or colour, spaced columns."""
        if self.on_terminal:
            self._drawn_table(headings, rows)
        else:
            self._plain_table(headings, rows)

    def finding(self, severity: str, message: str, next_step: str | None = None) -> None:
        """Print what a check found and, below it, what to do unless all is well."""
        message = self.place.fit(message)
        next_step = None if severity == "ok" or not next_step else self.place.fit(next_step)
        if not self.on_terminal:
            print(f"{severity}: {printable(message)}", file=self.stream)
            if next_step:
                print(f"  next: {printable(next_step)}", file=self.stream)
            return
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        sign = SEVERITY_SIGNS.get(severity, "-")
        grid.add_row(Text(f" {sign}", SEVERITY_STYLES.get(severity, "")), Text(printable(message)))
        if next_step:
            grid.add_row("", Text(f"→ {printable(next_step)}", "quiet"))
        self._show(grid)

    def picture(self) -> RenderableType:
        """Return all that was drawn."""
        from rich.console import Group

        return Group(*(self.drawn or ()))

    def _show(self, piece: RenderableType) -> None:
        if self.drawn is None:
            self.console.print(piece)
        else:
            self.drawn.append(piece)

    def _fitted(self, part: Styled) -> Styled:
        return self.place.fit(part) if isinstance(part, str) else (self.place.fit(part[0]), part[1])

    def _drawn_table(self, headings: Sequence[str], rows: Iterable[Sequence[Styled]]) -> None:
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD, header_style="quiet", pad_edge=False, padding=(0, 1, 0, 0)
        )
        for heading in headings:
            table.add_column(heading, overflow="fold", no_wrap=heading.endswith(WHOLE))
        for row in rows:
            table.add_row(*(Text.assemble(_styled(cell)) for cell in row))
        self._show(table)

    def _plain_table(self, headings: Sequence[str], rows: Iterable[Sequence[Styled]]) -> None:
        cells = [list(headings), *([_plain(cell) for cell in row] for row in rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        for row in cells:
            print("  ".join(map(str.ljust, row, widths)).rstrip(), file=self.stream)


def print_json(document: Any) -> None:
    """Print one document. ASCII only, so that nothing in it can steer a terminal."""
    print(json.dumps(document, indent=2, default=_json_value))


def _json_value(value: Any) -> str:
    match value:
        case datetime():
            return utc_text(value)
        case Path():
            return str(value)
        case _:
            raise TypeError(f"json: expected a plain value, got {type(value).__name__}")


def _plain(part: Styled) -> str:
    return printable(part if isinstance(part, str) else part[0])


def _styled(part: Styled) -> tuple[str, str]:
    return (printable(part), "") if isinstance(part, str) else (printable(part[0]), part[1])
