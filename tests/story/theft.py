"""A chapter on AWS's logs: somebody opens the cookies beside Jarkeeper, and AWS tells of it.

The cloud is the one of the tests, on 127.0.0.1: it enforces the project's policies, and what it
logs is what was really asked of it, in AWS's formats.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from jarkeeper.envelope import Context, open_envelope
from jarkeeper.vault import Vault
from jarkeeper.vault.root import Reopen, found_root, open_root
from jarkeeper.wiring import reopener, who
from story.stage import CANARY, JAR, Stage

if TYPE_CHECKING:
    from cloud.logbook import Logbook
    from tenancy import Tenancy

HOUR = timedelta(hours=1)
"""So long ago everything of ours was: what happens at the same time is not told apart."""


def theft(stage: Stage) -> None:
    """Use a vault on AWS, steal from it with the credentials of its own role, and look."""
    # Here, because no other chapter needs moto, which takes two seconds to start.
    from cloud.logbook import Logbook
    from cloud.server import Cloud
    from tenancy import Tenancy

    stage.voice.say("AWS is on 127.0.0.1 too: a bucket, two keys, roles under the real policies.")
    stage.voice.say("An hour ago cookies were imported there, and lent to a run of the task.")
    with Cloud(tls=True) as cloud:
        tenancy = Tenancy(cloud, bucket="jars")
        tenancy.enforce()
        logbook = cloud.logbook = Logbook(cloud.region, offset=-HOUR)
        envelope = _an_hour_ago(stage, tenancy)
        logbook.offset = timedelta()
        _become_auditor(stage, tenancy)
        stage.run("jarkeeper", "audit")
        _deliver(stage, logbook)
        stage.run("jarkeeper", "audit", "sources")
        stage.voice.say("All that AWS logged has an access on record.")
        stage.voice.say("Now somebody has the credentials of the task, and no need of Jarkeeper:")
        stage.voice.say("AWS's own client fetches the envelope, KMS opens it.")
        _steal(stage, tenancy, envelope)
        stage.run("jarkeeper", "audit", "--since", "30m")
        _deliver(stage, logbook)
        stage.run("jarkeeper", "audit", "sources", code=3)
        stage.voice.claim(
            not list(stage.vault.trail.read(datetime.now(UTC) - HOUR / 2)),
            "the trail knows nothing of it; AWS's logs tell who, when and what",
        )


def _an_hour_ago(stage: Stage, tenancy: Tenancy) -> Context:
    """Import cookies as the operator, lend them to the task; return which envelope it was."""
    stage.export("cookies.txt", "today")
    aws = tenancy.role("operator")
    store, key = tenancy.store(aws), tenancy.key(aws)
    vault, keys = found_root(store, key, reopen=_reopener(stage, tenancy))
    told = {"clock": lambda: datetime.now(UTC) - HOUR, "actor": who("demo")}
    Vault.create(store, keys, vault=vault, **told)
    told |= {"sites": ("youtube.com",), "backup_count": 1}
    Vault.open(store, keys, **told).import_jar(JAR, (stage.folder / "cookies.txt").read_bytes())
    task = tenancy.role("task")
    keys = open_root(tenancy.store(task), tenancy.key(task), reopen=_reopener(stage, tenancy))
    lent = Vault.open(tenancy.store(task), keys, **told).lend(JAR)
    with lent.open():
        return Context(vault, JAR, lent.generation)


def _steal(stage: Stage, tenancy: Tenancy, envelope: Context) -> None:
    """Open the envelope with nothing but a role's credentials."""
    from cloud.server import client

    aws = tenancy.role("task")
    key = f"cookies/{JAR}/generations/{envelope.generation}"
    sealed = client("s3", aws).get_object(Bucket=tenancy.bucket, Key=key)["Body"].read()
    keys = open_root(tenancy.store(aws), tenancy.key(aws), reopen=_reopener(stage, tenancy))
    stage.voice.claim(
        CANARY.encode() in open_envelope(sealed, keys=keys, context=envelope),
        "they have the cookies, in clear",
    )


def _reopener(stage: Stage, tenancy: Tenancy) -> Reopen:
    return reopener(tenancy.settings(stage.folder / "state"))


def _become_auditor(stage: Stage, tenancy: Tenancy) -> None:
    """Have the commands read trail and logs, and no jar."""
    del stage.environment["JARKEEPER_VAULT"]
    stage.environment |= {
        **tenancy.variables(stage.folder / "state", tenancy.role("auditor")),
        "COOKIE_ACCESS_LOGS": str(stage.folder / "logs" / "s3"),
        "COOKIE_CLOUDTRAIL": str(stage.folder / "logs" / "cloudtrail"),
        "COOKIE_ROLES": tenancy.role_arn("*"),
    }


def _deliver(stage: Stage, logbook: Logbook) -> None:
    """Write down all that was logged so far; AWS itself takes minutes to hours for it."""
    texts = {
        "s3/access.log": "".join(logbook.lines),
        "cloudtrail/records.json": json.dumps({"Records": logbook.records}, indent=1),
    }
    for name, text in texts.items():
        path = stage.folder / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
