"""How the story sounds: coloured on a terminal, plain lines in a pipe."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterable, Iterator, Sequence

from jarkeeper.cli.output import Output, Styled

NAME_COLUMNS = 12


class Voice:
    """Tells the story on standard output, trouble on standard error."""

    def __init__(self) -> None:
        self._output = Output()

    def title(self) -> None:
        """Say what this is, and what it is not."""
        self.line()
        self.line(("Jarkeeper: the story of a jar", "strong"))
        self.say("Nothing leaves this machine: a stand-in on 127.0.0.1 plays YouTube, and the")
        self.say("cookies are made up. The rest is real: yt-dlp, Prefect, the vault.")

    def act(self, number: int, title: str) -> None:
        """Begin an act."""
        self.line()
        if self._output.on_terminal:
            from rich.rule import Rule
            from rich.text import Text

            heading = Text.assemble((f"{number} ", "dim"), (title, "bold"))
            self._output.console.print(Rule(heading, align="left", style="dim"))
        else:
            self.line(f"== {number} {title}")

    def line(self, *parts: Styled) -> None:
        """Print one line of the parts."""
        self._output.line(*parts)
        self._output.stream.flush()

    def say(self, text: str) -> None:
        """Print a line of narration."""
        self.line((text, "quiet"))

    def command(self, *argv: str) -> None:
        """Show the command that runs next."""
        self.line()
        self.line(("$ ", "quiet"), (shlex.join(argv), "strong"))

    def event(self, message: str, style: str = "") -> None:
        """Print a line of a log, indented however long it is."""
        if not self._output.on_terminal:
            self.line(f"  {message}")
            return
        from rich.padding import Padding
        from rich.text import Text

        self._output.console.print(Padding(Text(message, style), (0, 0, 0, 2)))

    def table(self, headings: Sequence[str], rows: Iterable[Sequence[Styled]]) -> None:
        """Print rows under headings."""
        self._output.table(headings, rows)

    def claim(self, true: bool, text: str) -> None:
        """Tell what has been shown, if it has; otherwise the act fails."""
        if not true:
            raise AssertionError(f"this did not come true: {text}")
        self._output.finding("ok", text)
        self._output.stream.flush()

    def named(self, name: str, text: Styled) -> None:
        """Print a name and what there is to say about it."""
        self.line((f"  {name:<{NAME_COLUMNS}}", "quiet"), text)

    @contextlib.contextmanager
    def waiting(self, text: str) -> Iterator[None]:
        """Show that something takes a moment."""
        if self._output.on_terminal:
            with self._output.console.status(text):
                yield
        else:
            yield

    def trouble(self, text: str) -> None:
        """Say what went wrong."""
        Output(aside=True).line(("demo: ", "bad"), text)
