"""The page of permissions, from the policies themselves: who may do what, and why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POLICIES = Path(__file__).parent.parent / "infrastructure" / "policies"

PAGE = """# Permissions on AWS

From the documents in [`infrastructure/policies/`](../../infrastructure/policies), which the tests
put in force: every use case runs under its role's own policy, and the calls that were made must
equal what the policy allows, so that nothing is missing and nothing is spare.

{parts}
"""

ROLES = {
    "task": "The role of what downloads: an ECS task, a Prefect worker's flow runs. It lends, "
    "writes back and marks; it can neither overwrite nor delete, read the trail, nor found a "
    "vault. What it may create is all that an import takes, so whoever has the role could import "
    "too. The role of Prefect's own worker, which only starts tasks, needs nothing of this.",
    "operator": "The role of a person who keeps the vault: founds it, imports, checks, backs up, "
    "cleans up, moves it to another key.",
    "auditor": "The role of who reads and verifies the trail, and reads incidents. It can open the "
    "vault's root, which authenticates events, and no jar.",
    "parameter": "Besides, for a role whose `COOKIE_ENCRYPTION_KEY_PARAMETER` is set.",
    "logs": "Besides, for the auditor's role where `COOKIE_ACCESS_LOGS` and `COOKIE_CLOUDTRAIL` "
    "name buckets. Where CloudTrail encrypts its files with a KMS key, that key's policy has to "
    "let this role decrypt too.",
    "bucket": "The bucket's own policy: it holds for everybody, also for roles that somebody gives "
    "too much. The break-glass role is for the day on which nothing else works.",
    "envelope-key": "The policy of the KMS key that wraps the vault's keys.",
}

WHY = {
    "ReadTheVault": "which vault it is, its keys, heads, generations, the view, which is "
    "compared before it is published, permits, to settle a lost answer, and incidents",
    "FindTheNewest": "the newest head, record of keys, permit and incident are found by listing",
    "CreateNeverOverwrite": "what counts is created once: the condition makes IAM itself refuse a "
    "second write",
    "PublishTheView": "the view alone is overwritten; nothing reads it as truth",
    "SealAndOpenJars": "one data key for each generation, bound to this vault by the context",
    "LetTheBucketEncrypt": "S3 encrypts and decrypts at rest on behalf of the caller, and only so",
    "ReadEverything": "`check` and `backup` read every object",
    "ListEverything": "`check` finds what no vault writes",
    "CleanUp": "generations that no slot names any more, permits of past hours, superseded records "
    "of incidents, and what the probe of `init` wrote; never a head, never an event",
    "ReadTheTrail": "the trail, the heads that it has to announce, incidents, and what it takes to "
    "authenticate them",
    "ListTheTrail": "the days and writers of the trail, jars, heads, the logs of incidents",
    "OpenTheRootAlone": "the context of a jar has no purpose, so no jar can be opened",
    "LetTheBucketDecrypt": "S3 decrypts at rest on behalf of the caller, and only so",
    "ReadWhatAWSLogged": "server access logs and CloudTrail's files, of which no line is the "
    "vault's own",
    "FindTheAccessLogs": "the names tell the time, so that a range reads only what it needs",
    "FindTheTrailsFiles": "the folders tell the day, so that a range reads only what it needs",
    "ReadTheKeyInParameterStore": "the one parameter",
    "DecryptItThere": "Parameter Store decrypts on behalf of the caller, and only so",
    "EncryptedConnectionsOnly": "nothing travels in clear",
    "TheseRolesOnly": "whoever else the account's IAM admits is kept out; only of objects and "
    "of the key's use, so that a slip cannot lock the management of policies out",
    "EncryptedByTheBucketsKeyOnly": "an object under another key, or none, is refused",
    "AdministerByIAM": "without it a key could become unmanageable for ever",
    "ForAVaultOnly": "the key serves for nothing but vaults",
}


def permissions_page() -> str:
    """Return the page; a statement without its reason here is a `KeyError`."""
    return PAGE.format(parts="\n\n".join(_part(name) for name in ROLES))


def _part(name: str) -> str:
    document = json.loads((POLICIES / f"{name}.json").read_text())
    rows = [_row(statement) for statement in document["Statement"]]
    table = "\n".join(
        ["| statement | actions | on | if | because |", "|---|---|---|---|---|", *rows]
    )
    return f"## `{name}.json`\n\n{ROLES[name]}\n\n{table}"


def _row(statement: dict[str, Any]) -> str:
    actions = ", ".join(f"`{action}`" for action in _listed(statement["Action"]))
    resources = "<br>".join(f"`{_short(item)}`" for item in _listed(statement["Resource"]))
    conditions = "<br>".join(
        f"{operator} `{key}`: {', '.join(f'`{item}`' for item in _listed(values))}"
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )
    verb = "**deny** " if statement["Effect"] == "Deny" else ""
    cells = (statement["Sid"], verb + actions, resources, conditions, WHY[statement["Sid"]])
    return f"| {' | '.join(cells)} |"


def _short(resource: str) -> str:
    return resource.removeprefix("arn:aws:s3:::")


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
