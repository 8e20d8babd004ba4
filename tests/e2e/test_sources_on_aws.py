"""Both of AWS's logs beside a vault under its policies: a day of ours, and somebody else's hour."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from cloud.logbook import Logbook
from cloud.server import client
from incidentkit import condition
from jarkeeper.audit.archive import pack
from jarkeeper.cli.group import run
from jarkeeper.envelope import Context, open_envelope
from jarkeeper.incidents import Cause, scope_of
from jarkeeper.settings import AWS_VARIABLES, VARIABLES
from jarkeeper.slots import Slot, SlotState
from jarkeeper.sources.findings import findings_of_sources
from jarkeeper.vault.root import open_root
from jarkeeper.wiring import init_vault, open_journal, open_vault, reopener
from tenancy import Tenancy, policy
from vaultkit import cookie_file, jar_of

LATER = timedelta(hours=1)


class Town:
    """A vault on AWS whose requests are logged, and the bucket where the logs are delivered."""

    def __init__(self, cloud, folder):
        self.cloud, self.folder = cloud, folder
        self.tenancy = Tenancy(cloud)
        self.tenancy.enforce()
        self.logs = cloud.make_bucket(f"{self.tenancy.bucket}-logs")
        self.logbook = cloud.logbook = Logbook(cloud.region)
        self.began = datetime.now(UTC) - timedelta(seconds=5)

    def settings(self, role, aws=None):
        return self.tenancy.settings(self.folder / role, aws or self.tenancy.role(role))

    def auditor(self, place):
        """Return settings of an auditor who reads the trail and the logs, and nothing else."""
        names = {
            "access_logs_bucket": self.logs,
            "access_logs_prefix": f"{place}/s3/",
            "cloudtrail_bucket": self.logs,
            "cloudtrail_prefix": f"{place}/trail/",
        }
        mine = policy("auditor", **self.tenancy.names())
        mine["Statement"] += policy("logs", **names)["Statement"]
        aws = self.cloud.assume(f"{self.tenancy.bucket}-auditor", mine)
        return replace(
            self.settings("auditor", aws),
            access_logs=f"s3://{self.logs}/{place}/s3",
            cloudtrail=f"s3://{self.logs}/{place}/trail",
            roles=(f"arn:aws:iam::{self.cloud.account}:role/{self.tenancy.bucket}-*",),
        )

    def deliver(self, place):
        """Deliver all that was logged so far, and the same again under names of other months."""
        now, s3 = datetime.now(UTC), self.cloud.admin("s3")
        for day in (now, now - timedelta(days=40), now + timedelta(days=40)):
            self.logbook.deliver_lines(s3, self.logs, f"{place}/s3/", day)
            self.logbook.deliver_records(s3, self.logs, f"{place}/trail/", day)

    def findings(self, place):
        settings = self.auditor(place)
        now = datetime.now(UTC) + 2 * LATER
        vault = open_vault(settings)
        return findings_of_sources(settings, vault, since=self.began, until=now, now=now)


@pytest.fixture(scope="module")
def town(cloud, tmp_path_factory):
    """A town at the end of a day of ours."""
    town = Town(cloud, tmp_path_factory.mktemp("town"))
    town.keeper = day(town)
    yield town
    cloud.logbook = None


def day(town):
    """Do everything that an operator and a run do."""
    init_vault(town.settings("operator"))
    keeper = open_vault(town.settings("operator"))
    first = keeper.import_jar("youtube", cookie_file("one")).generation
    keeper.import_jar("youtube", cookie_file("two"))
    keeper.stage("youtube", cookie_file("three"))
    keeper.promote("youtube")
    keeper.restore("youtube", first)
    keeper.outline("youtube", first)
    task = open_vault(town.settings("task"))
    for slot in Slot:
        with task.lend("youtube", slot).open():
            pass
    lent = task.write_back(task.lend("youtube"), jar_of("refreshed")).lent
    task.record_use(lent, counts={"OK": 1}, seconds=1.0)
    task.mark("youtube", lent.generation, SlotState.SUSPECT)
    keeper.revoke("youtube", first)
    keeper.check(checkpoint=True)
    journal = open_journal(town.settings("operator"), keeper)
    dead = scope_of([Cause.SESSION_DEAD], "youtube")
    journal.reconcile([condition()], scope=dead)
    journal.reconcile([], scope=dead)
    keeper.gc(grace=timedelta(0))
    packed = pack(keeper.trail, before=datetime.now(UTC).date() + timedelta(days=1))
    assert packed.events
    assert packed.warnings  # no role may delete what was packed
    keeper.metadata()
    keeper.history("youtube")
    assert list(open_vault(town.settings("auditor")).trail.read())
    return keeper


def steal(town, keeper, aws):
    """Open the active envelope with a role's credentials and AWS's own client, an hour later."""
    generation = keeper.status("youtube").active.generation.id
    key = f"cookies/youtube/generations/{generation}"
    answer = client("s3", aws).get_object(Bucket=town.tenancy.bucket, Key=key)
    sealed = answer["Body"].read()
    settings = town.settings("task", aws)
    keys = open_root(town.tenancy.store(aws), town.tenancy.key(aws), reopen=reopener(settings))
    assert open_envelope(sealed, keys=keys, context=Context(keeper.id, "youtube", generation))
    return key


def loud(findings):
    return {item.code: item for item in findings if item.severity != "ok"}


def test_a_day_of_ours_makes_no_finding_and_reads_no_other_days_files(town):
    town.deliver("quiet")
    town.cloud.calls.clear()
    lines = len(town.logbook.lines)

    found = town.findings("quiet")

    fetched = [call.resource for call in town.cloud.calls if "GetObject" in call.action]
    assert [(item.message, item.evidence) for item in found if item.severity != "ok"] == []
    assert {item.code for item in found} == {"access-logs", "cloudtrail", "coverage"}
    assert f"{lines} lines read" in found[0].message
    assert [call for call in town.cloud.calls if not call.allowed] == []
    assert sum(f"{town.logs}/quiet" in name for name in fetched) == 2


def test_what_others_do_is_found_and_told_without_a_secret(town, monkeypatch, capsys):
    task = town.tenancy.role("task")
    town.logbook.offset = LATER
    key = steal(town, town.keeper, task)
    meddle(town)
    town.deliver("loud")

    found = loud(town.findings("loud"))

    told = {"outside", "overwritten", "denied", "role", "deleted", "rules", "key"}
    assert set(found) == told
    assert found["overwritten"].evidence[0].key == CHECKPOINT
    theft = found["outside"]
    assert (theft.jar, theft.count) == ("youtube", 2)  # though two logs tell of the first
    assert {one.operation for one in theft.evidence} == {"GetObject", "Decrypt"}
    assert {one.principal for one in theft.evidence} == {town.tenancy.role_arn("task")}
    assert key in {one.key for one in theft.evidence}
    assert found["deleted"].evidence[0].key == HEAD
    assert STRANGER in found["denied"].message
    told = command_line(town.auditor("loud"), monkeypatch, capsys)
    assert "X-Amz" not in told
    assert not any(task[name] in told for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"))


CHECKPOINT = "audit/checkpoints/000000000001.json"
HEAD = "cookies/youtube/heads/000000000001.json"
STRANGER = "a-stranger-to-the-bucket"


def meddle(town):
    """Knock as a stranger; as an administrator delete, overwrite, change rules, disable the key."""
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    stranger = town.cloud.assume(STRANGER, {"Version": "2012-10-17", "Statement": [everything]})
    with pytest.raises(ClientError):
        client("s3", stranger).get_object(Bucket=town.tenancy.bucket, Key="vault.json")
    admin, bucket = town.cloud.environment, town.tenancy.bucket
    s3, kms = client("s3", admin), client("kms", admin)
    s3.delete_object(Bucket=bucket, Key=HEAD)
    s3.copy_object(Bucket=bucket, Key=CHECKPOINT, CopySource=f"{bucket}/{CHECKPOINT}")
    s3.put_bucket_policy(Bucket=bucket, Policy=s3.get_bucket_policy(Bucket=bucket)["Policy"])
    kms.disable_key(KeyId=town.tenancy.kms_key)
    kms.enable_key(KeyId=town.tenancy.kms_key)


def command_line(settings, monkeypatch, capsys):
    """Return what the command says of the last minutes, as text and for machines."""
    for name in (*AWS_VARIABLES, *(item.name for item in VARIABLES.values())):
        monkeypatch.delenv(name, raising=False)
    for name, text in settings.environment().items():
        monkeypatch.setenv(name, text)
    monkeypatch.setattr("jarkeeper.wiring.utc_now", lambda: datetime.now(UTC) + 2 * LATER)
    assert run(["audit", "sources", "--json", "--since", "3h"]) == 3
    document = capsys.readouterr().out
    assert json.loads(document)["findings"][0]["severity"] == "critical"
    assert run(["audit", "sources", "--since", "3h"]) == 3
    return document + capsys.readouterr().out
