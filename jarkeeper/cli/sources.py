"""`jarkeeper audit sources`: what AWS's logs show of the vault that its audit trail does not."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import click

from jarkeeper.cli.exits import Exit
from jarkeeper.cli.group import Invocation, common_options, pass_invocation
from jarkeeper.cli.output import Output, print_json
from jarkeeper.errors import InputError
from jarkeeper.since import parse_since
from jarkeeper.words import utc_text

if TYPE_CHECKING:
    from jarkeeper.settings import Settings
    from jarkeeper.sources.joined import Evidence, SourceFinding

EVIDENCE_SHOWN = 3
"""Of each finding; `--json` has more."""


@click.command(
    "sources",
    epilog="\b\nExamples:\n"
    "  jarkeeper audit sources --since 7d\n"
    "  jarkeeper audit sources --access-logs s3://logs/jars --cloudtrail s3://trail\n"
    "  jarkeeper audit sources --access-logs ./logs --since 2026-02-06 --json\n\n"
    "Every request for an envelope, every use of the KMS key and every change in the bucket needs "
    "an access in the audit trail that makes such requests, at that time. Seven days more are "
    "read to tell who came before. Exit code 3 where something critical was found.",
)
@click.option(
    "--since",
    metavar="WHEN",
    default="24h",
    show_default=True,
    help="A span such as 12h or 7d, or a date (UTC).",
)
@click.option(
    "--access-logs",
    metavar="PLACE",
    help="Server access logs of S3: a folder, or s3://bucket/prefix; else COOKIE_ACCESS_LOGS.",
)
@click.option(
    "--cloudtrail",
    metavar="PLACE",
    help="CloudTrail's files: a folder, or s3://bucket/prefix; else COOKIE_CLOUDTRAIL.",
)
@common_options
@pass_invocation
def command(
    invocation: Invocation, since: str, access_logs: str | None, cloudtrail: str | None
) -> Exit:
    """Show who went round Jarkeeper, by AWS's own logs."""
    from jarkeeper.sources.findings import findings_of_sources
    from jarkeeper.wiring import open_vault, utc_now

    now = utc_now()
    start = parse_since(since, now=now)
    settings = _with_places(invocation.settings(), access_logs, cloudtrail)
    if settings.s3_bucket is None:
        raise InputError(
            f"vault '{settings.place}': expected one in a bucket of S3, got a folder, of which "
            "AWS's logs tell nothing",
            hint="`--vault s3://bucket/prefix` or COOKIE_S3_BUCKET names it",
        )
    vault = open_vault(settings)
    with Output(aside=invocation.as_json).busy("reading AWS's logs"):
        found = findings_of_sources(settings, vault, since=start, until=now, now=now)
    if invocation.as_json:
        document = {"since": start, "until": now, "findings": [asdict(item) for item in found]}
        print_json(document)
    else:
        for item in found:
            _print(item)
    return Exit.VAULT if any(item.severity == "critical" for item in found) else Exit.OK


def _with_places(settings: Settings, access_logs: str | None, cloudtrail: str | None) -> Settings:
    settings = replace(
        settings,
        access_logs=_place("--access-logs", access_logs) or settings.access_logs,
        cloudtrail=_place("--cloudtrail", cloudtrail) or settings.cloudtrail,
    )
    if settings.access_logs is None and settings.cloudtrail is None:
        raise InputError(
            "logs: expected --access-logs, --cloudtrail or both, got none",
            hint="COOKIE_ACCESS_LOGS and COOKIE_CLOUDTRAIL set them for good",
        )
    return settings


def _place(option: str, text: str | None) -> str | None:
    from jarkeeper.settings import forms

    if text is None:
        return None
    if not text:  # of a variable that is not set
        raise InputError(f"{option}: expected a folder or 's3://bucket/prefix', got an empty name")
    try:
        return forms.logs(text)
    except ValueError as error:
        raise InputError(f"{option}: {error}") from None


def _print(item: SourceFinding) -> None:
    output = Output()
    name = f"{item.code}: "  # reports show the message alone, so some begin with it
    output.finding(item.severity, name + item.message.removeprefix(name), item.next_step)
    for one in item.evidence[:EVIDENCE_SHOWN]:
        output.line((f"   {_line(one)}", "quiet"))
    if (more := item.count - EVIDENCE_SHOWN) > 0 and item.evidence:
        output.line((f"   and {more} more", "quiet"))


def _line(one: Evidence) -> str:
    words = (utc_text(one.at), one.operation, one.principal, one.address, one.key, one.request_id)
    return "  ".join(word or "-" for word in words)
