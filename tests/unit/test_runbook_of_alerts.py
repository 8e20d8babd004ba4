import re
from pathlib import Path

from jarkeeper.incidents import Cause

DOCS = Path(__file__).parents[2] / "docs"


def test_every_cause_has_its_section_and_every_section_its_cause():
    text = (DOCS / "runbooks" / "alerts.md").read_text()

    sections = re.split(r"^## ", text, flags=re.MULTILINE)[1:]

    assert [section.splitlines()[0] for section in sections] == [cause.value for cause in Cause]
    for section in sections:
        for part in ("What it means", "What Jarkeeper did", "What to do", "How it ends"):
            assert f"**{part}.**" in section
        assert "jarkeeper " in section.partition("```sh")[2]


def test_the_table_of_causes_is_whole():
    rows = re.findall(r"^\| \[`([a-z-]+)`\]\(", (DOCS / "alerts.md").read_text(), re.MULTILINE)

    assert rows == [cause.value for cause in Cause]
