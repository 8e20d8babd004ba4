"""The documents say nothing that a reader cannot type, open or set."""

import re
import shlex
from pathlib import Path

import click
import pytest

from jarkeeper.cli.group import cli
from jarkeeper.errors import JarkeeperError
from jarkeeper.settings.variables import VARIABLES

PROJECT = Path(__file__).parents[2]
DOCUMENTS = ["README.md", *(str(p.relative_to(PROJECT)) for p in PROJECT.glob("docs/**/*.md"))]

BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`]+)`")
COMMAND = re.compile(r"(?:^|\$ |\$\(|[|;&] |^[A-Z_]+=\S+ )\s*(?:\.venv/bin/)?jarkeeper (.*)")
END = re.compile(r"\s+(?:#|\\?\||&&|;|<|>)\s?.*|\s{3,}.*|[);].*")
SUBSTITUTED = re.compile(r'"\$\([^)]*\)[^"]*"')
LINK = re.compile(r"\]\(([^)#\s]*)(?:#([^)\s]*))?\)")
SETTING = re.compile(r"\b(?:JARKEEPER|COOKIE)_[A-Z][A-Z0-9_]+\b")
NO_SETTINGS = {
    *("COOKIE_FORMAT", "COOKIE_IO", "COOKIE_ROTATED", "COOKIE_MISSING"),
    *("JARKEEPER_PROOF", "JARKEEPER_SOAK_SECONDS"),
}
"""Classes of failures, and what the tests alone read."""

of_each_document = pytest.mark.parametrize("name", DOCUMENTS)


def read(name):
    return (PROJECT / name).read_text()


def commands(text):
    """Return the words after `jarkeeper` of every command that somebody could type."""
    blocks = "".join(BLOCK.findall(text)).replace("\\\n", " ")
    prose = INLINE.findall(BLOCK.sub("", text))
    lines = [*blocks.splitlines(), *INLINE.findall(blocks), *prose]
    found = [
        COMMAND.search(SUBSTITUTED.sub("x", " ".join(line.split("\n"))).strip()) for line in lines
    ]
    return [words(END.sub("", match[1])) for match in found if match]


def words(line):
    try:
        found = shlex.split(line)
    except ValueError:  # an apostrophe
        found = line.split()
    return [word for word in found if not word.startswith("[")]


def mistake(line):
    """Return what is wrong with a command line, or None."""
    command, rest = cli, line
    try:
        while True:
            context = click.Context(command)
            _, rest, _ = command.make_parser(context).parse_args(list(rest))
            if not isinstance(command, click.Group) or not rest:
                break
            if rest[0] in ("…", "COMMAND"):
                return None
            command = command.get_command(context, rest[0]) or click.Command("none")
            rest = rest[1:]
    except (click.UsageError, JarkeeperError) as error:
        return f"{' '.join(line)}: {error}"
    known = [item for item in command.params if isinstance(item, click.Argument)]
    return f"{' '.join(line)}: what is {rest[0]}?" if rest and not known else None


def anchors(text):
    """Return the anchors of a document's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", BLOCK.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in headings}


@of_each_document
def test_every_command_can_be_typed(name):
    assert [said for line in commands(read(name)) if (said := mistake(line))] == []


@of_each_document
def test_every_link_leads_somewhere(name):
    here = PROJECT / name
    lost = [
        f"{path}#{anchor}"
        for path, anchor in LINK.findall(BLOCK.sub("", read(name)))
        if "://" not in path
        and not (
            (there := here.parent / path if path else here).exists()
            and (not anchor or anchor in anchors(there.read_text()))
        )
    ]

    assert lost == []


@of_each_document
def test_every_setting_exists(name):
    known = {variable.name for variable in VARIABLES.values()} | NO_SETTINGS

    assert set(SETTING.findall(read(name))) - known == set()


def test_the_table_of_retention_says_what_is_accepted():
    rows = re.findall(
        r"^\| `(COOKIE_\w+_DAYS)` \|.*\| (.*) \|$", read("docs/compliance.md"), re.MULTILINE
    )

    for name, accepted in rows:
        variable = next(item for item in VARIABLES.values() if item.name == name)
        with pytest.raises(ValueError, match=f"^expected {accepted}$"):
            variable.parse("?")
    assert len(rows) == 2


def test_commands_are_found_and_mistakes_seen():
    text = (
        "`jarkeeper audit --since 1d`\n```\n$ jarkeeper refresh --slow | head\n```\n`jarkeeper x`"
    )

    found = [mistake(line) for line in sorted(commands(text))]

    assert found[0] is None
    assert ["--slow" in str(found[1]), "no such command" in str(found[2])] == [True, True]


def test_every_file_that_the_requirements_name_exists():
    text = read("docs/requirements.md")

    named = re.findall(r"`((?:[a-z]+/)+[\w./-]*|prefect\.yaml)`", text)

    assert len(named) > 100
    assert [name for name in named if not (PROJECT / name).exists()] == []
    assert re.findall(r"^\| ([A-L]\d+) ", text, re.MULTILINE) == [
        f"{letter}{number}"
        for letter, count in zip("ABCDEFGHIJKL", (6, 4, 11, 8, 2, 4, 3, 3, 3, 2, 4, 6), strict=True)
        for number in range(1, count + 1)
    ]
