"""Write the reference pages that the code already knows: `python docs/generate.py [--check]`."""

from __future__ import annotations

import ast
import inspect
import sys
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from runpy import run_path

from cli import cli_page
from figures import figures_page
from metrics import metrics_page
from permissions import permissions_page

from jarkeeper.analysis.athena import written
from jarkeeper.analysis.queries import Span
from jarkeeper.settings import AWS_VARIABLES, VARIABLES, Settings, model
from jarkeeper.youtube.failures import OPEN_LIMIT, TABLE, UNKNOWN, Row

REFERENCE = Path(__file__).parent / "reference"
INFRASTRUCTURE = Path(__file__).parents[1] / "infrastructure"
DASHBOARD = INFRASTRUCTURE / "dashboard.py"
ATHENA = INFRASTRUCTURE / "athena"
A_MONTH = Span(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))
"""Stands in the queries that are kept as files."""

SETTINGS_PAGE = """# Settings

Read once from the environment when a command or flow starts, and checked together: every mistake
is reported at once, and no secret is echoed. An empty value counts as none.

| variable | default | accepted | meaning |
|---|---|---|---|
{rows}

A key for `COOKIE_ENCRYPTION_KEY` is made with `head -c 32 /dev/urandom | base64`. Give it to the
process by something that keeps secrets, not by a file beside the vault; on AWS by Parameter Store
(`COOKIE_ENCRYPTION_KEY_PARAMETER`).

`jarkeeper settings` prints what is in force, and where each value came from.

The places follow the XDG base directory rules: `XDG_DATA_HOME`, `XDG_CONFIG_HOME` and
`XDG_STATE_HOME` move them. `JARKEEPER_PROXY` and `JARKEEPER_CA_FILE` reach yt-dlp; operators
behind a corporate proxy need both. Nothing else of the environment reaches the worker but `PATH`,
`LANG`, `LC_ALL` and `TZ`, and what AWS's own tools read.

## On AWS

Where a bucket or a KMS key is set, credentials, region and endpoints come from AWS's own variables
and files, as for every tool that is built on boto3: {aws}.
On ECS and EC2 none is needed but a region: the task's role is used, and renewed by itself.
`AWS_ENDPOINT_URL` names another store that speaks S3; `jarkeeper init` refuses one that does not
honour conditional writes.
"""

FAILURES_PAGE = """# What a failed download means

The first row that applies decides. *Backup* and *none* tell whether other cookies, or no cookies,
may help; *slot* what becomes of the cookies that were used; *again* whether the run tries once
more by itself, with growing waits; *stop* whether the run ends there, because more requests would
do harm.

| # | class | what it means | backup | none | slot | again | stop | what to do |
|---|---|---|---|---|---|---|---|---|
{rows}
"""

FORMS = {
    "drop": "a folder, or `s3://bucket/prefix`",
    "access_logs": "a folder, or `s3://bucket/prefix`",
    "cloudtrail": "a folder, or `s3://bucket/prefix`",
    "alerts": "the text of such a file, in TOML: see [alerts](../alerts.md)",
    "metrics": "`emf`, `otel`, or both separated by a comma; or `none`",
    "ca_file": "the path of an existing file",
    "s3_prefix": "plain names separated by `/`, such as `teams/media`",
    "retry_seconds": "at most 10 numbers from 0 to 86400, separated by commas; or `none`",
    "validation_enabled": "`true`, `yes`, `on`, `1`; `false`, `no`, `off`, `0`",
    "proxy": "a URL with `http`, `https`, `socks4`, `socks4a`, `socks5` or `socks5h`, such as "
    "`http://proxy.example:3128`",
}
"""Where a refusal says less than a reader of the table wants to know."""


def settings_page() -> str:
    """Return the table of all settings, from the fields' own words."""
    words = field_docstrings()
    rows = [
        f"| `{variable.name}` | {default_of(name)} | {form_of(name)} | {words[name]} |"
        for name, variable in VARIABLES.items()
    ]
    aws = ", ".join(f"`{name}`" for name in AWS_VARIABLES)
    return SETTINGS_PAGE.format(rows="\n".join(rows), aws=aws)


def field_docstrings() -> dict[str, str]:
    """Return what stands below each field of `Settings`."""
    tree = ast.parse(inspect.getsource(model))
    body = next(
        node.body
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    )
    words = {}
    for field, text in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
            words[ast.unparse(field.target)] = " ".join(ast.literal_eval(text.value).split())
    return words


def form_of(name: str) -> str:
    """Return what the variable takes: what its refusal says was expected, where that is enough."""
    if name in FORMS:
        return FORMS[name]
    try:
        VARIABLES[name].parse("?")
    except ValueError as refusal:
        return str(refusal).removeprefix("expected ").replace("'", "`")
    return "a path; `~` is the home folder"


def default_of(name: str) -> str:
    """Return the default as one would write it."""
    places = {
        "vault": "`~/.local/share/jarkeeper/vault`",
        "key_file": "`~/.config/jarkeeper/key`",
        "state_dir": "`~/.local/state/jarkeeper`",
    }
    default = next(item.default for item in fields(Settings) if item.name == name)
    if default is MISSING:
        return places[name]
    text = "" if default is None else VARIABLES[name].write(default)
    return f"`{text}`" if text else "none"


def failures_page() -> str:
    """Return the classifier's table as an operator reads it."""
    rows = (*TABLE, OPEN_LIMIT, UNKNOWN)
    return FAILURES_PAGE.format(rows="\n".join(map(failure_row, rows)))


def failure_row(row: Row) -> str:
    """Return one line of the table."""
    verdict = row.slot_verdict.value if row.slot_verdict else ""
    if row.cool_minutes:
        verdict += f" {row.cool_minutes} min"
    cells = (
        str(row.number) if row in TABLE else "",
        f"`{row.failure}`",
        row.explanation,
        row.helps_backup.value,
        row.helps_none.value,
        verdict,
        "yes" if row.curable else "",
        "yes" if row.stops_run else "",
        row.next_step,
    )
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Write the pages, or with `--check` say which differ."""
    pages = {
        REFERENCE / "settings.md": settings_page(),
        REFERENCE / "failures.md": failures_page(),
        REFERENCE / "permissions.md": permissions_page(),
        REFERENCE / "metrics.md": metrics_page(),
        REFERENCE / "key-figures.md": figures_page(),
        REFERENCE / "cli.md": cli_page(),
        INFRASTRUCTURE / "dashboard.json": run_path(str(DASHBOARD))["dashboard_text"](),
    } | {ATHENA / name: text for name, text in written(A_MONTH).items()}
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text() != text]
    if "--check" in sys.argv:
        for path in stale:
            name = path.relative_to(REFERENCE.parents[1])
            print(f"{name}: differs from the code, run `make format`")
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(pages[path])
    return 0


if __name__ == "__main__":
    sys.exit(main())
