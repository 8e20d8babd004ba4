"""The project's own policies: what each role does equals what it may do, and no more goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloud.faults import Fault, Kind
from cloud.server import client
from incidentkit import condition
from jarkeeper.incidents import Cause, Journal, scope_of
from jarkeeper.moves import backup_vault, recover_vault
from jarkeeper.slots import Slot, SlotState
from jarkeeper.wiring import init_vault, open_journal, open_vault, utc_now, with_parameter
from tenancy import Tenancy, policy
from vaultkit import cookie_file, jar_of


@pytest.fixture
def enforced(tenancy):
    """A bucket and keys under their own policies."""
    tenancy.enforce()
    return tenancy


@pytest.fixture
def settings(enforced, tmp_path) -> Callable:
    """Return the settings of a process in a role."""
    return lambda role: enforced.settings(tmp_path / role, enforced.role(role))


@pytest.fixture
def filled(settings):
    """A vault that the operator has founded and filled."""
    init_vault(settings("operator"))
    vault = open_vault(settings("operator"))
    for tag in ("one", "two", "three"):
        vault.import_jar("youtube", cookie_file(tag))
    return vault


def watch(vault, settings) -> Journal:
    """Put an incident on record and end it, as the examinations of a schedule do."""
    journal = open_journal(settings, vault)
    dead = scope_of([Cause.SESSION_DEAD], "youtube")
    journal.reconcile([condition()], scope=dead)
    journal.reconcile([], scope=dead)
    return journal


def keep(vault) -> None:
    """Do everything that a keeper of a vault does."""
    first = vault.import_jar("youtube", cookie_file("four")).generation
    vault.import_jar("youtube", cookie_file("five"))
    vault.promote("youtube")
    vault.restore("youtube", first)
    vault.mark("youtube", first, SlotState.SUSPECT)
    vault.revoke("youtube", first)
    vault.import_jar("youtube", cookie_file("six"))
    with vault.lend("youtube").open():
        pass
    vault.check()
    vault.gc(grace=timedelta(0))
    vault.metadata()
    vault.history("youtube")


def use(vault) -> None:
    """Do everything that a run does."""
    assert vault.jars() == ["youtube"]
    for slot in Slot:
        with vault.lend("youtube", slot).open():
            pass
    vault.write_back(vault.lend("youtube", Slot.BACKUP), jar_of("refreshed"))
    lent = vault.write_back(vault.lend("youtube"), jar_of("refreshed")).lent
    vault.record_use(lent, counts={"OK": 1}, seconds=1.0)
    vault.mark("youtube", lent.generation, SlotState.SUSPECT)
    vault.status("youtube")
    vault.metadata()
    vault.history("youtube")


def audit(vault) -> None:
    """Do everything that an auditor does."""
    assert list(vault.trail.read())
    assert vault.verify_trail().discrepancies == ()


def allowances(document) -> set[tuple[str, str]]:
    """Return each action with each resource that a policy allows it on."""
    return {
        (action, resource)
        for statement in document["Statement"]
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
    }


def listed(value):
    return [value] if isinstance(value, str) else value


def used(allowed, calls) -> set[tuple[str, str]]:
    """Return what of the allowances the calls made use of."""
    return {
        (action, pattern)
        for action, pattern in allowed
        for call in calls
        if call.action == action and fnmatchcase(call.resource, pattern)
    }


def assert_exact(tenancy, role: str) -> None:
    """Fail where the role was denied something, or is allowed what it never did."""
    mine = [call for call in tenancy.cloud.calls if call.principal_arn == tenancy.role_arn(role)]
    allowed = allowances(policy(role, **tenancy.names()))
    assert [call for call in mine if not call.allowed] == []
    assert {call.action for call in mine} == {action for action, _ in allowed}
    assert allowed - used(allowed, mine) == set()


def test_a_keeper_may_do_what_it_does_and_nothing_else(enforced, settings):
    enforced.cloud.calls.clear()
    operator = settings("operator")
    init_vault(operator)
    vault = open_vault(operator)
    admin = enforced.store()
    vault.import_jar("youtube", cookie_file("one"))
    vault.lend("youtube")
    (permit,) = admin.list("opens/")
    admin.put(permit.replace(permit.split("/")[2], "20200101T00"), admin.get(permit))

    keep(vault)
    vault.ports = replace(vault.ports, clock=lambda: utc_now() + timedelta(days=1))
    watch(vault, operator).collect(utc_now() + timedelta(hours=1))

    assert_exact(enforced, "operator")


def test_a_keeper_backs_up_and_recovers_without_being_denied(enforced, settings, filled, tmp_path):
    operator = settings("operator")
    copy = operator.at(str(tmp_path / "copy"))
    empty = Tenancy(enforced.cloud)
    empty.enforce()
    aws = empty.role("operator", kms_key_arn=enforced.kms_key)
    there = replace(empty.settings(tmp_path / "there", aws), kms_key_id=enforced.kms_key)
    arn = f"arn:aws:iam::{enforced.cloud.account}:role/{empty.bucket}-operator"
    names = enforced.names(
        operator_role_arn=arn, break_glass_role_arn=enforced.role_arn("operator")
    )
    enforced.cloud.calls.clear()

    made = backup_vault(operator, copy, progress=lambda *_: None)
    enforced.put_key_policy(names)
    recovered = recover_vault(there, copy, progress=lambda *_: None)

    assert made.damaged == recovered.damaged == ()
    assert open_vault(there).status("youtube") == filled.status("youtube")
    assert [call for call in enforced.cloud.calls if not call.allowed] == []


def test_a_task_may_do_what_it_does_and_nothing_else(enforced, settings, filled):
    task = settings("task")
    enforced.cloud.calls.clear()
    # A permit whose answer gets lost is read again.
    enforced.cloud.faults.add(Fault(Kind.DROP_AFTER, method="PUT", key_part="opens/"))

    use(open_vault(task))
    watch(open_vault(task), task)

    assert_exact(enforced, "task")


def test_an_auditor_may_do_what_it_does_and_nothing_else(enforced, settings, filled):
    auditor = settings("auditor")
    watch(filled, settings("operator"))
    enforced.cloud.calls.clear()

    audit(open_vault(auditor))
    open_journal(auditor, open_vault(auditor)).look_back()

    assert_exact(enforced, "auditor")


def test_a_role_reads_its_one_parameter_and_nothing_else(enforced, tmp_path):
    cloud = enforced.cloud
    key, name = cloud.make_key(), f"/{enforced.bucket}/key"
    told = {"Type": "SecureString", "KeyId": key, "Value": "A" * 43 + "="}
    cloud.admin("ssm").put_parameter(Name=name, **told)
    names = {**enforced.names(), "parameter": name, "parameter_key_arn": key}
    aws = cloud.assume(f"{enforced.bucket}-reader", policy("parameter", **names))
    cloud.calls.clear()

    base = enforced.settings(tmp_path, aws)
    found = with_parameter(replace(base, encryption_key_parameter=name))

    allowed = allowances(policy("parameter", **names))
    assert found.encryption_key == bytes(32)
    assert used(allowed, cloud.calls) == allowed


HEAD = "cookies/youtube/heads/000000000001.json"
INCIDENT = "incidents/youtube/session-dead/000000000001.json"
PERMIT = "opens/youtube/20260601T12/0001"


@dataclass
class Hand:
    """Raw clients of a role, and what they can point at."""

    s3: Any
    kms: Any
    bucket: str
    kms_key: str
    bucket_key: str

    def put(self, key: str, **condition: str) -> None:
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x", **condition)

    def delete(self, key: str) -> None:
        self.s3.delete_object(Bucket=self.bucket, Key=key)

    def list(self, prefix: str = "") -> None:
        self.s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix)

    def data_key(self, key: str, **context: str) -> None:
        self.kms.generate_data_key(KeyId=key, NumberOfBytes=32, EncryptionContext=context)


REFUSED_TO_A_TASK = {
    "to overwrite a head": lambda hand: hand.put(HEAD),
    "to overwrite a head on another condition": lambda hand: hand.put(HEAD, IfMatch="x"),
    "to delete a head": lambda hand: hand.delete(HEAD),
    "to delete an incident": lambda hand: hand.delete(INCIDENT),
    "to overwrite an incident": lambda hand: hand.put(INCIDENT),
    "to delete a permit": lambda hand: hand.delete(PERMIT),
    "to replace the vault's own object": lambda hand: hand.put("vault.json", IfNoneMatch="*"),
    "to add a record of keys": lambda hand: hand.put("keys/000000000002.json", IfNoneMatch="*"),
    "to list the trail": lambda hand: hand.list("audit/"),
    "to list the whole bucket": lambda hand: hand.list(),
    "to read the trail": lambda hand: hand.s3.get_object(Bucket=hand.bucket, Key="audit/x"),
    "to read old versions": lambda hand: hand.s3.list_object_versions(Bucket=hand.bucket),
    "to lift the bucket's policy": lambda hand: hand.s3.delete_bucket_policy(Bucket=hand.bucket),
    "to seal without a vault": lambda hand: hand.data_key(hand.kms_key),
    "to disable the key": lambda hand: hand.kms.disable_key(KeyId=hand.kms_key),
    "to use the bucket's key itself": lambda hand: hand.data_key(hand.bucket_key, vault="x"),
}


@pytest.fixture(scope="module")
def town(cloud, tmp_path_factory) -> Tenancy:
    """A filled vault under all policies, for tests that change nothing."""
    town = Tenancy(cloud)
    town.enforce()
    operator = town.settings(tmp_path_factory.mktemp("operator"), town.role("operator"))
    init_vault(operator)
    open_vault(operator).import_jar("youtube", cookie_file("one"))
    return town


@pytest.mark.parametrize("what", REFUSED_TO_A_TASK)
def test_a_task_is_refused(what, town):
    aws = town.role("task")
    hand = Hand(client("s3", aws), client("kms", aws), town.bucket, town.kms_key, town.bucket_key)

    with pytest.raises(ClientError) as caught:
        REFUSED_TO_A_TASK[what](hand)

    assert caught.value.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")


def test_a_role_for_one_vault_opens_no_other(town, tmp_path):
    aws = town.role("task", vault_id="0" * 32)

    with pytest.raises(Exception, match="access was denied"):
        open_vault(town.settings(tmp_path, aws))


def test_an_auditor_opens_no_jar(town, tmp_path):
    vault = open_vault(town.settings(tmp_path, town.role("auditor")))

    with pytest.raises(Exception, match=r"access was denied|may not be read"):
        vault.lend("youtube")


def test_a_role_that_the_bucket_does_not_know_gets_nothing(town):
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [everything]}
    stranger = town.cloud.assume(f"{town.bucket}-stranger", document)

    for call in (
        lambda: client("s3", stranger).get_object(Bucket=town.bucket, Key="vault.json"),
        lambda: client("s3", stranger).list_objects_v2(Bucket=town.bucket),
        lambda: client("kms", stranger).generate_data_key(
            KeyId=town.kms_key, NumberOfBytes=32, EncryptionContext={"vault": "x"}
        ),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


@pytest.mark.parametrize("encryption", [{"ServerSideEncryption": "AES256"}, {}])
def test_an_object_under_no_key_of_the_bucket_is_refused(encryption, town):
    other = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": town.cloud.make_key()}
    aws = town.role("operator")

    with pytest.raises(ClientError, match="AccessDenied"):
        client("s3", aws).put_object(
            Bucket=town.bucket,
            Key="cookies/metadata.json",
            Body=b"{}",
            **(encryption or other),
        )
