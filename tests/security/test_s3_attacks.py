"""Attacks on vaults in a bucket: by who may write to it, and by who has a vault there too."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from jarkeeper.anchors import FileAnchors
from jarkeeper.envelope import Context, open_envelope
from jarkeeper.errors import EnvelopeError, IntegrityError, KeyUnavailable, RollbackError
from jarkeeper.keys.kms import KMSKey
from jarkeeper.names import VaultId
from jarkeeper.slots import Slot
from jarkeeper.stores.s3 import S3Store
from jarkeeper.vault import Vault
from jarkeeper.vault.root import found_root, open_root
from jarkeeper.wiring import utc_now
from tenancy import Tenancy
from vaultkit import ACTOR, SITES, assert_no_canary, cookie_file, tag_of

KINDS = {
    "identity": "vault.json",
    "keys": "keys/",
    "head": "cookies/youtube/heads/",
    "generation": "cookies/youtube/generations/",
    "view": "cookies/youtube-cookies-active.txt",
    "metadata": "cookies/metadata.json",
    "audit": "audit/",
}
REFUSALS = (IntegrityError, KeyUnavailable)


@dataclass
class Room:
    """A vault with a past below a prefix of the bucket, and how its objects were."""

    tenancy: Tenancy
    prefix: str
    kms_key: str
    objects: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self):
        vault, keys = found_root(self.store(), self.key(), reopen=self.key)
        self.id = Vault.create(self.store(), keys, clock=utc_now, actor=ACTOR, vault=vault)
        for jar in ("youtube", "other"):
            for tag in ("past", "backup", "active"):
                self.open().import_jar(jar, cookie_file(tag, account=self.prefix))
        self.open().check()
        self.objects = self.read()

    def store(self, aws=None):
        tenancy = self.tenancy
        return S3Store(
            tenancy.clients(aws),
            bucket=tenancy.bucket,
            prefix=self.prefix,
            kms_key=tenancy.bucket_key,
        )

    def key(self, aws=None):
        return KMSKey(self.tenancy.clients(aws), self.kms_key)

    def open(self, aws=None, *, anchors=(), key=None):
        """Return the vault as a new process opens it."""
        keys = open_root(self.store(aws), key or self.key(aws), reopen=self.key)
        return Vault.open(
            self.store(aws),
            keys,
            actor=ACTOR,
            clock=utc_now,
            sites=SITES,
            backup_count=1,
            anchors=anchors,
        )

    def read(self):
        return {key: self.store().get(key) for key in self.store().list("")}

    def set(self, objects):
        """Make the objects these ones."""
        now = self.read()
        for key in now.keys() - objects.keys():
            self.store().delete(key)
        for key, content in objects.items():
            if now.get(key) != content:
                self.store().put(key, content)

    def put_back(self, key):
        """Make one object what it was."""
        self.store().put(key, self.objects[key])

    def keys(self, kind):
        return [key for key in sorted(self.objects) if key.startswith(KINDS[kind])]

    def take(self, key, *, of, named=None):
        """Have S3 copy an object of another vault, or of this one, to a place here."""
        bucket = self.tenancy.bucket
        self.tenancy.cloud.admin("s3").copy_object(
            Bucket=bucket,
            Key=f"{self.prefix}/{named or key}",
            CopySource={"Bucket": bucket, "Key": f"{of.prefix}/{key}"},
        )


@pytest.fixture(scope="module")
def rooms(cloud):
    """Two vaults with one key for both, and one with a key of its own, in one bucket."""
    cloud.faults.clear()
    tenancy = Tenancy(cloud)
    keys = {"ours": tenancy.kms_key, "theirs": tenancy.kms_key, "others": cloud.make_key()}
    return {prefix: Room(tenancy, prefix, key) for prefix, key in keys.items()}


@pytest.fixture
def ours(rooms):
    yield rooms["ours"]
    rooms["ours"].set(rooms["ours"].objects)


@pytest.fixture(params=["theirs", "others"])
def theirs(request, rooms):
    return rooms[request.param]


def told(room):
    """Return what `check` complains of, or what keeps the vault from being opened."""
    try:
        vault = room.open()
    except REFUSALS as error:
        assert_no_canary(error)
        return {type(error).__name__}
    findings = [item for item in vault.check() if item.severity != "ok"]
    assert_no_canary(*findings)
    # Of a new process without anchors, this is always said.
    return {item.code for item in findings} - {"unknown"}


def lent(room, jar="youtube"):
    """Return which jars a process gets; each is the one of its slot, and of this vault."""
    found = []
    for slot in Slot:
        try:
            with room.open().lend(jar, slot).open() as content:
                assert tag_of(content) == slot
                accounts = {cookie.value for cookie in content.cookies if cookie.name == "SAPISID"}
                assert all(f"-{room.prefix}-" in value for value in accounts)
                found.append(slot)
        except REFUSALS as error:
            assert_no_canary(error)
    return found


def test_vaults_in_one_bucket_do_not_see_each_other(rooms):
    before = {name: room.read().keys() for name, room in rooms.items()}

    rooms["ours"].open().mark(
        "youtube", rooms["ours"].open().status("youtube").active.generation.id, "suspect"
    )

    for name, room in rooms.items():
        assert lent(room) == list(Slot)
        assert told(room) == set()
        assert room.open().status("youtube").seq == (4 if name == "ours" else 3)
    heads = {name: [key for key in room.read() if "/heads/" in key] for name, room in rooms.items()}
    assert len(set(heads["ours"]) - before["ours"]) == 1
    assert set(heads["theirs"]) <= before["theirs"]
    rooms["ours"].set(rooms["ours"].objects)


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_of_another_vault_in_the_place_of_ours_is_detected(ours, theirs, kind):
    for here, there in zip(ours.keys(kind)[-2:], theirs.keys(kind)[-2:], strict=True):
        ours.take(there, of=theirs, named=here)

        is_view = kind in ("view", "metadata")
        assert told(ours), here
        assert lent(ours) == list(Slot) or not is_view

        ours.put_back(here)


@pytest.mark.parametrize("kind", ["identity", "keys", "head", "generation"])
def test_what_is_used_of_another_vault_is_refused(ours, theirs, kind):
    here, there = ours.keys(kind), theirs.keys(kind)
    if kind == "generation":
        active = "cookies/youtube/generations/{}".format
        here = [active(ours.open().status("youtube").active.generation.id)]
        there = [active(theirs.open().status("youtube").active.generation.id)]
    ours.take(there[-1], of=theirs, named=here[-1])

    with pytest.raises(REFUSALS):
        ours.open().lend("youtube")


def test_our_heads_are_worth_nothing_under_the_identity_and_keys_of_another_vault(ours, theirs):
    for kind in ("identity", "keys"):
        for key in theirs.keys(kind):
            ours.take(key, of=theirs)

    with pytest.raises(REFUSALS):
        ours.open().lend("youtube")
    assert told(ours)


def test_the_whole_log_of_another_vault_is_refused(ours, theirs):
    objects = {key: raw for key, raw in ours.objects.items() if "cookies/youtube" not in key}
    ours.set(objects)
    for key in theirs.objects:
        if "cookies/youtube" in key:
            ours.take(key, of=theirs)

    with pytest.raises(IntegrityError):
        ours.open().status("youtube")
    assert "log" in told(ours)
    assert lent(ours) == []
    assert lent(ours, "other") == list(Slot)


def test_a_whole_other_vault_in_our_place_opens_for_nobody_whose_role_names_ours(ours, theirs):
    vault_id = ours.open().id
    role = ours.tenancy.role("task", vault_id=vault_id, prefix="ours/")
    assert lent_by_role(ours, role) == "active"
    ours.set({})
    for key in theirs.objects:
        ours.take(key, of=theirs)

    with pytest.raises(KeyUnavailable):
        lent_by_role(ours, role)


def lent_by_role(room, role):
    with room.open(role).lend("youtube").open() as jar:
        return tag_of(jar)


@pytest.mark.parametrize(
    ("source", "place", "finding"),
    [
        ("head", "cookies/youtube/heads/000000000004.json", {"log"}),
        ("keys", "keys/000000000002.json", {"stranger"}),
        ("generation", "", set()),
        ("audit", "", {"audit-edited"}),
        ("view", "cookies/stranger-cookies-active.txt", {"stranger"}),
        ("identity", "cookies/youtube/vault.json", {"stranger"}),
    ],
)
def test_an_object_of_another_vault_beside_ours_is_ignored_or_told(
    ours, theirs, source, place, finding
):
    ours.take(theirs.keys(source)[-1], of=theirs, named=place or None)

    assert finding <= told(ours)
    assert lent(ours) == ([] if source == "head" else list(Slot))


def test_a_jar_of_another_vault_beside_ours_is_told(ours, theirs):
    for key in theirs.objects:
        if key.startswith("cookies/other/"):
            ours.take(key, of=theirs, named=key.replace("other", "third"))

    assert "log" in told(ours)
    with pytest.raises(IntegrityError):
        ours.open().lend("third")
    assert lent(ours) == list(Slot)


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_of_ours_passes_for_one_of_another_kind(ours, kind):
    place = ours.keys(kind)[-1]
    for other in KINDS:
        source = ours.keys(other)[-1]
        if ours.objects[source] == ours.objects[place]:
            continue

        ours.take(source, of=ours, named=place)

        assert told(ours), (source, place)
        ours.put_back(place)


def test_another_key_opens_no_vault(ours, rooms):
    with pytest.raises(KeyUnavailable):
        ours.open(key=rooms["others"].key())


def test_an_envelope_opens_in_its_own_context_only(ours, rooms):
    record = ours.open().status("youtube").active.generation
    other = ours.open().status("youtube").backups[0].generation.id
    sealed = ours.store().get(f"cookies/youtube/generations/{record.id}")
    keys = ours.open().ports.keys
    vault = ours.open().id

    assert open_envelope(sealed, keys=keys, context=Context(vault, "youtube", record.id))
    for context in (
        Context(VaultId("0" * 32), "youtube", record.id),
        Context(rooms["theirs"].open().id, "youtube", record.id),
        Context(vault, "other", record.id),
        Context(vault, "youtube", other),
    ):
        with pytest.raises(EnvelopeError):
            open_envelope(sealed, keys=keys, context=context)


def test_two_generations_that_change_places_are_refused(ours):
    one, other = (item.generation.id for item in ours.open().status("youtube").slots.records())
    place = "cookies/youtube/generations/"
    ours.take(place + one, of=ours, named=place + other)
    ours.store().put(place + one, ours.objects[place + other])

    assert lent(ours) == []
    assert "generation" in told(ours)


def test_heads_that_were_deleted_are_missed(ours, tmp_path):
    anchors = (FileAnchors(tmp_path),)
    ours.open(anchors=anchors).status("youtube")

    ours.store().delete(ours.keys("head")[-1])

    assert "rolled-back" in told(ours)
    for call in ("status", "lend", "promote"):
        with pytest.raises(RollbackError):
            getattr(ours.open(anchors=anchors), call)("youtube")


def test_another_head_in_the_place_of_a_deleted_one_is_refused(ours, tmp_path):
    anchors = (FileAnchors(tmp_path),)
    ours.open(anchors=anchors).status("youtube")
    ours.store().delete(ours.keys("head")[-1])

    ours.open().promote("youtube")

    with pytest.raises(RollbackError):
        ours.open(anchors=anchors).lend("youtube")


def test_old_versions_of_the_whole_bucket_are_detected_through_an_anchor(ours, tmp_path):
    anchors = (FileAnchors(tmp_path),)
    vault = ours.open(anchors=anchors)
    gone = vault.status("youtube").active.generation.id
    vault.revoke("youtube", gone)
    put_back_first_versions(ours)

    with pytest.raises(RollbackError):
        ours.open(anchors=anchors).lend("youtube")


def put_back_first_versions(room):
    """Bring every object back as the bucket remembers it from before, and remove the others."""
    s3, bucket = room.tenancy.cloud.admin("s3"), room.tenancy.bucket
    pages = s3.get_paginator("list_object_versions").paginate(
        Bucket=bucket, Prefix=f"{room.prefix}/"
    )
    versions = [item for page in pages for item in page.get("Versions", ())]
    now = room.read()
    for item in sorted(versions, key=lambda item: item["LastModified"], reverse=True):
        key = item["Key"].removeprefix(f"{room.prefix}/")
        if now.get(key) == room.objects.get(key):
            continue
        content = s3.get_object(Bucket=bucket, Key=item["Key"], VersionId=item["VersionId"])
        if content["Body"].read() == room.objects.get(key):
            source = {"Bucket": bucket, "Key": item["Key"], "VersionId": item["VersionId"]}
            s3.copy_object(Bucket=bucket, Key=item["Key"], CopySource=source)
        elif key not in room.objects:
            room.store().delete(key)
    assert room.read() == room.objects
