"""AWS's logs joined with the trail: each row names a request and what it says beside our own."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from jarkeeper.actions import Action
from jarkeeper.audit import Event, Outcome, Phase
from jarkeeper.sources.intents import Intents
from jarkeeper.sources.joined import join, strangers
from jarkeeper.sources.requests import (
    Place,
    Request,
    Visit,
    network_of,
    principal_of,
    shown_key,
    word,
)

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VAULT, GENERATION, OTHER = "f" * 32, "a" * 32, "b" * 32
KEY_ARN = "arn:aws:kms:eu-central-1:123456789012:key/11111111-2222"
PLACE = Place(VAULT, "jars", "teams/", (KEY_ARN,))
TASK = "arn:aws:iam::123456789012:role/jarkeeper-task"
ENVELOPE = f"cookies/youtube/generations/{GENERATION}"
HEAD = "cookies/youtube/heads/000000000007.json"
VIEW = "cookies/youtube-cookies-active.txt"
ROOT = {"vault": VAULT, "purpose": "root", "seq": "1"}
JAR = {"vault": VAULT, "jar": "youtube", "generation": GENERATION}


def s3(operation, key, *, at=NOW, id_="R1", **more):
    return Request(
        at, "s3", operation, TASK, "192.0.2.1", "jars", f"teams/{key}", request_id=id_, **more
    )


def kms(operation, context, *, at=NOW, id_="R1", **more):
    return Request(
        at,
        "kms",
        operation,
        TASK,
        "192.0.2.1",
        key=KEY_ARN,
        request_id=id_,
        context=context,
        **more,
    )


def access(action, *, jar="youtube", generation=GENERATION, at=NOW, seconds=1.0, ended=True):
    """Return the events of one access."""
    told = {"action": action, "access": f"{action}{at}", "jar": jar, "generation": generation}
    end = at + timedelta(seconds=seconds)
    events = [Event(at=at, phase=Phase.INTENT, **told)]
    if ended:
        outcome = {"outcome": Outcome.OK, "seconds": seconds}
        events.append(Event(at=end, phase=Phase.OUTCOME, **told, **outcome))
    return events


def found(*requests, trail=(), complete_since=NOW - timedelta(days=9)):
    intents = Intents(event for events in trail for event in events)
    return join(requests, intents=intents, place=PLACE, complete_since=complete_since)


def codes(*requests, **more):
    return {(one.code, one.count) for one in found(*requests, **more)}


OLD_EVENT = f"audit/dt=2025-01-01/{'a' * 32}/000000000001.jsonl"
CHECKPOINT = "audit/checkpoints/000000000001.json"
VOLUME = "audit/archive/dt=2026-05-01/000001.parquet"
LEND, CHECK = access(Action.LEND), access(Action.CHECK, jar="", generation="")
CASES = {
    "an envelope is lent": (s3("GetObject", ENVELOPE), LEND, ""),
    "an envelope is read": (s3("GetObject", ENVELOPE), [], "outside"),
    "an envelope is read by a check": (s3("GetObject", ENVELOPE), CHECK, ""),
    "a check explains nothing that is written": (s3("PutObject", ENVELOPE), CHECK, "outside"),
    "a use opens nothing": (s3("GetObject", ENVELOPE), access(Action.USE), "outside"),
    "another jar is lent": (s3("GetObject", ENVELOPE), access(Action.LEND, jar="x"), "outside"),
    "an envelope is the source of a copy": (s3("CopyObjectSource", ENVELOPE), [], "outside"),
    "the view is read": (s3("GetObject", VIEW), [], "outside"),
    "the view is published": (s3("PutObject", VIEW), access(Action.MARK), ""),
    "a head is read": (s3("GetObject", HEAD), [], ""),
    "a head is written": (s3("PutObject", HEAD), [], "outside"),
    "a head is committed": (s3("PutObject", HEAD), access(Action.PROMOTE), ""),
    "the trail is written": (
        s3("PutObject", f"audit/dt={NOW:%Y-%m-%d}/{'a' * 32}/000000000001.jsonl"),
        [],
        "",
    ),
    "something else is written there": (s3("PutObject", "audit/x.jsonl"), [], "outside"),
    "packing may not delete": (
        s3("DeleteObject", OLD_EVENT, error="AccessDenied"),
        access(Action.ARCHIVE, jar="", generation=""),
        "",
    ),
    "deleting an event is denied": (
        s3("DeleteObject", OLD_EVENT, error="AccessDenied"),
        access(Action.GC, jar="", generation=""),
        "denied",
    ),
    "an incident's next place is looked for": (
        s3("GetObject", "incidents/youtube/session-dead/000000000002.json", error="AccessDenied"),
        [],
        "",
    ),
    "a recovery looks what is there": (
        s3("HeadObject", HEAD, error="AccessDenied"),
        access(Action.RECOVER, jar="", generation=""),
        "",
    ),
    "an event of long ago is written": (s3("PutObject", OLD_EVENT), [], "overwritten"),
    "an event of no day is written": (
        s3("PutObject", OLD_EVENT.replace("2025-01-01", "2025-99-99")),
        [],
        "outside",
    ),
    "an event is recovered": (
        s3("PutObject", OLD_EVENT),
        access(Action.RECOVER, jar="", generation=""),
        "",
    ),
    "a checkpoint is written": (s3("PutObject", CHECKPOINT), [], "outside"),
    "a checkpoint is vouched for": (
        s3("PutObject", CHECKPOINT),
        access(Action.CHECKPOINT, jar="", generation=""),
        "",
    ),
    "hashes are written": (s3("PutObject", f"audit/hashes/{'a' * 64}"), [], "outside"),
    "a volume is written": (s3("PutObject", VOLUME), [], "outside"),
    "a volume is packed": (
        s3("PutObject", VOLUME),
        access(Action.ARCHIVE, jar="", generation=""),
        "",
    ),
    "the overview is written": (s3("PutObject", "cookies/metadata.json"), [], "outside"),
    "the overview is published": (
        s3("PutObject", "cookies/metadata.json"),
        access(Action.MARK),
        "",
    ),
    "an envelope is looked for": (s3("GetObject", ENVELOPE, error="NoSuchKey"), [], ""),
    "an envelope is denied": (s3("GetObject", ENVELOPE, error="AccessDenied"), [], "denied"),
    "a view is not there yet": (s3("GetObject", VIEW, error="AccessDenied"), LEND, ""),
    "another's object": (Request(NOW, "s3", "GetObject", TASK, "", "jars", ENVELOPE), [], ""),
    "a head is deleted": (s3("DeleteObject", HEAD), access(Action.GC, jar=""), "deleted"),
    "a generation is deleted": (s3("DeleteObject", ENVELOPE), LEND, "deleted"),
    "a generation is cleaned up": (s3("DeleteObject", ENVELOPE), access(Action.GC, jar=""), ""),
    "an event is deleted": (s3("DeleteObject", "audit/x"), access(Action.GC, jar=""), "deleted"),
    "an event is packed": (s3("DeleteObject", "audit/x"), access(Action.ARCHIVE, jar=""), ""),
    "an event expires": (s3("ExpireObject", "audit/x", is_service=True), [], ""),
    "a head expires": (s3("ExpireObject", HEAD, is_service=True), [], "deleted"),
    "the root is opened": (kms("Decrypt", ROOT), [], ""),
    "the root is sealed": (kms("GenerateDataKey", ROOT), [], "outside"),
    "a jar is opened": (kms("Decrypt", JAR), [], "outside"),
    "a jar is opened by a loan": (kms("Decrypt", JAR), LEND, ""),
    "another generation is lent": (
        kms("Decrypt", JAR | {"generation": OTHER}),
        LEND,
        "outside",
    ),
    "an import compares": (
        kms("Decrypt", JAR | {"generation": OTHER}),
        access(Action.IMPORT),
        "",
    ),
    "the key serves something else": (kms("Decrypt", {"a": "b"}), LEND, "outside"),
    "the key is denied": (kms("Decrypt", {}, error="AccessDeniedException"), [], "denied"),
    "the key is disabled": (kms("DisableKey", {}), [], "key"),
    "the key's policy is changed": (kms("PutKeyPolicy", {}), [], "rules"),
    "CloudTrail is stopped": (Request(NOW, "cloudtrail", "StopLogging", TASK), [], "logging"),
    "S3 reads for somebody": (
        kms("Decrypt", {"aws:s3:arn": f"arn:aws:s3:::jars/teams/{ENVELOPE}"}),
        [],
        "outside",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_request_beside_what_is_on_record(case):
    request, trail, code = CASES[case]

    assert codes(request, trail=[trail]) == ({(code, 1)} if code else set())


@pytest.mark.parametrize(
    ("seconds", "is_ours"), [(-119, True), (-123, False), (181, True), (185, False)]
)
def test_clocks_may_differ_by_two_minutes(seconds, is_ours):
    request = s3("GetObject", ENVELOPE, at=NOW + timedelta(seconds=seconds))

    assert (codes(request, trail=[access(Action.LEND, seconds=62)]) == set()) is is_ours


def test_an_access_without_outcome_explains_ten_minutes():
    trail = [access(Action.LEND, ended=False)]

    assert codes(s3("GetObject", ENVELOPE, at=NOW + timedelta(minutes=9)), trail=trail) == set()
    assert codes(s3("GetObject", ENVELOPE, at=NOW + timedelta(minutes=13)), trail=trail)


def test_a_request_that_both_logs_tell_of_counts_once_and_with_it_what_S3_asked_for_it():
    echo = kms("Decrypt", {"aws:s3:arn": f"arn:aws:s3:::jars/teams/{ENVELOPE}"}, id_="R9")
    twice = s3("GetObject", ENVELOPE)

    (one,) = found(echo, twice, twice)

    assert (one.code, one.count, len(one.evidence)) == ("outside", 1, 1)
    assert one.evidence[0].request_id == "R1"


def echo(**more):
    return kms("Decrypt", {"aws:s3:arn": f"arn:aws:s3:::jars/teams/{ENVELOPE}"}, id_="R9", **more)


BEFORE_IT, AFTER_IT = NOW - timedelta(hours=2), NOW + timedelta(hours=2)
DENIED = {"error": "AccessDenied"}
THEFT = s3("GetObject", ENVELOPE, at=AFTER_IT)
MASKS = {
    "the time of a loan": ([s3("GetObject", ENVELOPE), THEFT], ["outside"]),
    "a denial": (
        [s3("GetObject", ENVELOPE, at=AFTER_IT, **DENIED), THEFT],
        ["denied", "outside"],
    ),
    "another's name": ([replace(THEFT, principal="AmazonS3"), THEFT], ["outside", "outside"]),
    "a service": (
        [s3("DeleteObject", "audit/x", is_service=True), s3("DeleteObject", "audit/x")],
        ["deleted"],
    ),
    "a denial of what S3 decrypts": (
        [s3("GetObject", ENVELOPE, at=AFTER_IT, id_="R8", **DENIED), echo(at=AFTER_IT)],
        ["denied", "outside"],
    ),
    "an hour in which we open": (
        [
            *(s3("GetObject", ENVELOPE, at=BEFORE_IT, id_=f"R{number}") for number in range(11)),
            *(s3("GetObject", ENVELOPE, id_=f"R{number}") for number in range(21)),
        ],
        ["opens"],
    ),
}


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("case", MASKS)
def test_no_line_with_the_id_of_another_request_hides_it(case, turned):
    requests, told = MASKS[case]
    trail = [LEND, access(Action.LEND, at=BEFORE_IT)]

    findings = found(*(reversed(requests) if turned else requests), trail=trail)

    assert sorted(one.code for one in findings) == told


def test_what_S3_may_not_decrypt_for_somebody_is_denied_and_no_more():
    refused = s3("GetObject", ENVELOPE, id_="R8", **DENIED)

    assert codes(refused, echo(**DENIED)) == {("denied", 1)}
    assert codes(echo(**DENIED)) == {("denied", 1)}


def test_a_write_that_both_logs_tell_of_is_one():
    assert codes(*[s3("PutObject", HEAD)] * 2, trail=[access(Action.PROMOTE)]) == set()


def test_what_is_written_once_and_written_again_is_told():
    commits = [access(Action.PROMOTE)]

    twice = codes(s3("PutObject", HEAD), s3("PutObject", HEAD, id_="R2"), trail=commits)

    assert twice == {("overwritten", 1)}
    assert codes(s3("PutObject", VIEW), s3("PutObject", VIEW, id_="R2"), trail=commits) == set()


def test_who_reads_beside_our_own_accesses_is_told_by_the_number():
    reads = [s3("GetObject", ENVELOPE, id_=f"R{number}") for number in range(21)]

    assert codes(*reads[:20], trail=[LEND]) == set()
    assert codes(*reads, trail=[LEND]) == {("opens", 21)}
    assert codes(*reads, trail=[LEND, CHECK]) == set()


def test_what_was_before_the_trail_begins_is_not_missing_in_it():
    assert codes(s3("GetObject", ENVELOPE), complete_since=NOW + timedelta(seconds=1)) == set()


def test_a_finding_says_who_when_where_what_and_no_more():
    key = f"{ENVELOPE}?X-Amz-Signature=c4nary"

    (one,) = found(s3("DeleteObject", key))

    assert one.message == (
        "1 request deleted what nothing of ours deletes then: DeleteObject by "
        f"'{TASK}' from 192.0.2.1, first at 2026-06-01T12:00:00Z"
    )
    assert "c4nary" not in repr(one)
    assert shown_key("x" * 500) == "x" * 200 + "…"
    assert word("GetObject&X-Amz-Security-Token=c4nary") == "GetObject"


def test_a_million_odd_requests_keep_twenty_as_evidence():
    many = (
        s3("GetObject", ENVELOPE, id_=f"R{number}", at=NOW + timedelta(seconds=number))
        for number in range(1000)
    )

    (one,) = found(*many)

    assert (one.count, len(one.evidence)) == (1000, 20)
    assert one.evidence[0].at == NOW


def visit(principal=TASK, address="52.94.0.1", *, at=NOW):
    return Visit(principal, address, at, at)


BEFORE = visit(at=NOW - timedelta(days=5))
SINCE = NOW - timedelta(hours=1)


@pytest.mark.parametrize(
    ("visits", "roles", "told"),
    [
        ([visit()], ("arn:aws:iam::*:role/jarkeeper-*",), []),
        ([visit()], ("arn:aws:iam::*:role/path/jarkeeper-task",), []),
        ([visit()], ("arn:aws:iam::*:role/another",), [("role", "critical")]),
        ([visit("")], ("*",), []),
        ([visit("other")], (), []),
        ([BEFORE, visit("other")], (), [("role", "warning")]),
        ([BEFORE, visit(address="52.94.0.99")], (), []),
        ([BEFORE, visit(address="3.5.140.1")], (), [("address", "warning")]),
        ([visit(at=NOW - timedelta(days=1)), visit(address="3.5.140.1")], (), []),
    ],
)
def test_strangers_are_told_by_setting_or_by_who_came_before(visits, roles, told):
    found = [(one.code, one.severity) for one in strangers(visits, roles=roles, since=SINCE)]

    assert found == told


def test_principals_and_networks_have_one_name_each():
    assert principal_of("arn:aws:sts::123456789012:assumed-role/jarkeeper-task/x") == TASK
    china = "arn:aws-cn:sts::123456789012:assumed-role/jarkeeper-task/x"
    assert principal_of(china) == TASK.replace("aws", "aws-cn")
    assert principal_of("arn:aws:iam::123456789012:role/a/path/jarkeeper-task") == TASK
    assert (network_of("10.1.2.3"), network_of("-")) == ("private", "-")
    assert network_of("2a00:1450:4001:831::1") == "2a00:1450:4001::/48"


@pytest.mark.parametrize("prefix", ["", "teams/"])
def test_many_objects_that_are_deleted_without_a_name_are_told(prefix):
    request = Request(NOW, "s3", "DeleteObjects", TASK, "192.0.2.1", "jars", "", request_id="R1")
    place = Place(VAULT, "jars", prefix, (KEY_ARN,))

    findings = join([request], intents=Intents(()), place=place, complete_since=NOW)

    assert [(one.code, one.count) for one in findings] == [("deleted", 1)]


@pytest.mark.parametrize(
    "key",
    ["audit/checkpoints/000000000001.json", "incidents/youtube/session-dead/000000000001.json"],
)
def test_what_is_written_once_and_written_again_is_found_also_of_the_record_itself(key):
    first, again = s3("PutObject", key, id_="R1"), s3("PutObject", key, id_="R2")
    trail = [access(Action.CHECKPOINT, jar="", generation="")]

    assert codes(first, trail=trail) == codes(first, first, trail=trail) == set()
    assert codes(first, again, trail=trail) == {("overwritten", 1)}


@pytest.mark.parametrize("key", ["cookies/metadata.json", VIEW])
def test_the_view_is_written_again_and_again(key):
    requests = s3("PutObject", key, id_="R1"), s3("PutObject", key, id_="R2")

    assert codes(*requests, trail=[access(Action.MARK)]) == set()


def test_a_key_of_the_bucket_may_serve_others_too():
    other = kms("Decrypt", {"SecretARN": "arn:aws:secretsmanager:eu-central-1:1:secret:x"})
    shared = replace(PLACE, bucket_keys=(KEY_ARN,))

    for place, told in ((PLACE, ["outside"]), (shared, [])):
        found = join([other], intents=Intents(()), place=place, complete_since=NOW)
        assert [one.code for one in found] == told
    stolen = join([kms("Decrypt", JAR)], intents=Intents(()), place=shared, complete_since=NOW)
    assert [one.code for one in stolen] == ["outside"]


@pytest.mark.parametrize("first", [0, 1])
def test_who_wrote_again_is_told_in_whatever_order_the_logs_are_read(first):
    ours = s3("PutObject", HEAD, id_="R1")
    theirs = replace(
        s3("PutObject", HEAD, id_="R2", at=NOW + timedelta(seconds=60)), principal="thief"
    )
    requests = (ours, theirs) if first == 0 else (theirs, ours)

    (one,) = found(*requests, trail=[access(Action.PROMOTE)])

    assert (one.code, one.evidence[0].principal) == ("overwritten", "thief")


def test_what_a_recovery_writes_again_is_no_finding():
    requests = [s3("PutObject", HEAD, id_=name) for name in ("R1", "R2")]

    assert codes(*requests, trail=[access(Action.RECOVER, jar="", generation="")]) == set()


def test_a_write_that_bears_the_id_of_ours_is_another_all_the_same():
    ours = s3("PutObject", HEAD, id_="R1")
    theirs = replace(ours, principal="thief", at=NOW + timedelta(seconds=60))

    (one,) = found(ours, theirs, trail=[access(Action.PROMOTE)])

    assert (one.code, one.evidence[0].principal) == ("overwritten", "thief")
