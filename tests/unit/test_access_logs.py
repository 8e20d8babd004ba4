"""Server access logs: lines of AWS's documented format, and what others may write into them."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jarkeeper.sources.access_format import FIELDS, fields_of
from jarkeeper.sources.access_logs import AccessLogs
from jarkeeper.sources.requests import Place

OWNER = "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"
DAY = datetime(2026, 2, 6, tzinfo=UTC)
NEXT = datetime(2026, 2, 7, tzinfo=UTC)
PLACE = Place("v" * 32, "jars", "teams/")
SESSION = "arn:aws:sts::123456789012:assumed-role/jarkeeper-task/5f1d"
GENERATION = f"teams/cookies/youtube/generations/{'a' * 32}"
VERSIONING = (
    f"{OWNER} jars [06/Feb/2026:00:00:38 +0000] 192.0.2.3 {OWNER} 3E57427F3EXAMPLE "
    'REST.GET.VERSIONING - "GET /jars?versioning HTTP/1.1" 200 - 113 - 7 - "-" "S3Console/0.4" - '
    "s9lzHYrFp76ZVxRcpX9+5cjAnEH2ROuNkd2BHfIa6UkFVdtjf5mKR3/eTPFvsiP/XV/VLi31234= SigV4 "
    "ECDHE-RSA-AES128-GCM-SHA256 AuthHeader jars.s3.us-west-1.amazonaws.com TLSV1.2 "
    "arn:aws:s3:us-west-1:123456789012:accesspoint/example-AP Yes us-east-1"
)
EXPIRED = (
    f"{OWNER} jars [06/Feb/2026:01:00:00 +0000] - AmazonS3 B3A1 S3.EXPIRE.OBJECT "
    "teams/audit/dt=2025-01-01/x - - - - - - - - - v1 hid= - - - - - -"
)


def line(**changed):
    """Return a line of somebody who reads a generation."""
    told = {
        "time": "06/Feb/2026:12:00:00 +0000",
        "bucket": "jars",
        "ip": "192.0.2.3",
        "requester": SESSION,
        "id": "3E57",
        "operation": "REST.GET.OBJECT",
        "key": GENERATION,
        "uri": f'"GET /{GENERATION} HTTP/1.1"',
        "status": "200 -",
        "figures": "2662992 3462992 70 10",
        "referer": '"-"',
        "agent": '"Boto3/1.40"',
        "rest": "- hid= SigV4 ECDHE AuthHeader jars.s3.amazonaws.com TLSv1.3 - - eu-central-1",
    } | changed
    return (
        "{owner} {bucket} [{time}] {ip} {requester} {id} {operation} {key} {uri} {status} "
        "{figures} {referer} {agent} {rest}"
    ).format(owner=OWNER, **told)


@pytest.fixture
def logs(tmp_path):
    """Read lines as one file; return what was read and the requests that are judged."""

    def logs(*lines, name="2026-02-06-12-00-00-AAAA"):
        path = tmp_path / name
        raw = b"\n".join(text if isinstance(text, bytes) else text.encode() for text in lines)
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        read = AccessLogs(PLACE, DAY, NEXT)
        return read, list(read.read([path]))

    return logs


def test_every_documented_field_has_its_place(tmp_path):
    path = tmp_path / "log"
    path.write_text(f"{VERSIONING}\n{EXPIRED}\n{line(rest='v1 hid= - - - - - - - - new one')}\n")

    versioning, expired, extra = fields_of([path])

    assert list(versioning) == list(FIELDS)
    assert versioning["request_uri"] == "GET /jars?versioning HTTP/1.1"
    assert versioning["time"] == datetime(2026, 2, 6, 0, 0, 38)
    assert (versioning["bytes_sent"], versioning["total_time"]) == (113, 7)
    assert (versioning["referer"], versioning["user_agent"]) == (None, "S3Console/0.4")
    assert versioning["access_point_arn"].endswith("accesspoint/example-AP")
    assert (versioning["acl_required"], versioning["source_region"]) == ("Yes", "us-east-1")
    assert (expired["http_status"], expired["version_id"], expired["host_id"]) == (
        None,
        "v1",
        "hid=",
    )
    assert (extra["source_region"], extra["further"]) == (None, "new one")


def test_a_request_is_who_did_what_to_which_object(logs):
    _, (request,) = logs(line())

    assert request.at == datetime(2026, 2, 6, 12, tzinfo=UTC)
    assert (request.operation, request.key, request.request_id) == ("GetObject", GENERATION, "3E57")
    assert request.principal == "arn:aws:iam::123456789012:role/jarkeeper-task"
    assert request.address == "192.0.2.3"


HOSTILE = {
    "a quote in the agent": line(agent='"a" 404 - - "b"'),
    "an open quote": line(agent='"'),
    "an open quote and no end": line(agent='"x', rest=""),
    "quotes in the referer": line(referer='"" "" "', agent='"\\"'),
    "a quote in the address": line(uri=f'"GET /{GENERATION}"" HTTP/1.1"'),
    "no agent": line(referer="-", agent="-"),
    "bytes of no encoding": line().encode().replace(b"Boto3", b"\xff\xfe\x00"),
    "a carriage return, and a line of their own": line(
        agent=f'"x\r{line(id="FORGED", status="403 AccessDenied")}"'
    ),
    "bytes of no encoding, and a carriage return": line().encode().replace(b"Boto3", b"\xff\r\x01"),
    "an encoded key": line(key=GENERATION.replace("/", "%2F")),
    "a key that is encoded twice": line(key=GENERATION.replace("/", "%252F")),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_nobody_hides_a_request_or_the_next_one_by_what_they_send(case, logs):
    read, requests = logs(line(id="FIRST"), HOSTILE[case], line(id="LAST"))

    assert {request.request_id for request in requests} == {"FIRST", "3E57", "LAST"}
    assert {(request.key, request.error) for request in requests} == {(GENERATION, "")}
    assert (read.lines, read.damaged) == (3, 0)


AGENTS = st.text(st.characters(exclude_characters="\n\r\x01", codec="utf-8"), min_size=1)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(AGENTS, max_size=8))
def test_any_agent_comes_back_as_it_was_and_changes_no_other_field(tmp_path, agents):
    path = tmp_path / "log"
    lines = [line(id=f"ID{number}", agent=f'"{text}"') for number, text in enumerate(agents)]
    path.write_bytes("\n".join(lines).encode())

    found = fields_of([path]) if agents else []

    assert [one["request_id"] for one in found] == [f"ID{n}" for n in range(len(agents))]
    assert {(one["http_status"], one["key"]) for one in found} <= {(200, GENERATION)}
    assert [one["user_agent"] or "-" for one in found] == agents
    assert {one["source_region"] for one in found} <= {"eu-central-1"}


def test_a_key_that_decodes_to_nothing_is_a_request_all_the_same(logs):
    read, requests = logs(line(key=f"{GENERATION}%FF%zz%00%"), line(key=GENERATION + "/" + "%F0"))

    assert len(requests) == read.lines == 2
    assert read.damaged == 0


def test_what_is_no_line_is_counted_and_hides_no_other(logs):
    damaged = [
        "rubbish",
        line()[:150],
        line(time="06/Feb\r/2026:12:00:00 +0000"),
        line(time="yesterday"),
        "x" * 70_000,
        "a\x01b",
    ]

    read, requests = logs(*damaged, line(), "")

    assert len(requests) == 1
    assert (read.lines, read.damaged) == (7, 6)


def test_a_file_that_does_not_unpack_is_named_and_the_others_are_read(tmp_path):
    whole, broken = tmp_path / "a.gz", tmp_path / "b.gz"
    whole.write_bytes(gzip.compress(line().encode()))
    broken.write_bytes(whole.read_bytes()[:80])
    read = AccessLogs(PLACE, DAY, NEXT)

    requests = list(read.read([broken, whole]))

    assert len(requests) == 1
    assert read.unreadable == ["b.gz"]


def test_only_the_vaults_own_in_the_range_is_judged_and_what_was_before_makes_visits(logs):
    read, requests = logs(
        line(id="BEFORE", time="05/Feb/2026:12:00:00 +0000", ip="198.51.100.1"),
        line(id="AFTER", time="07/Feb/2026:00:00:00 +0000"),
        line(id="ELSEWHERE", key="others/x"),
        line(id="ANOTHER", bucket="another"),
        line(id="HEAD", key="teams/cookies/youtube/heads/000000000001.json"),
        line(id="EVENT", key="teams/audit/dt=2026-02-05/x", operation="REST.PUT.OBJECT"),
        line(id="OLD", key="teams/audit/dt=2026-02-03/x", operation="REST.PUT.OBJECT"),
        line(id="NODAY", key="teams/audit/dt=2026-99-99/x", operation="REST.PUT.OBJECT"),
        line(id="VIEW", key="teams/cookies/youtube/heads-up.txt"),
        line(id="DENIED", key="teams/cookies/youtube/heads/1", status="403 AccessDenied"),
        EXPIRED,
    )

    told = {"OLD", "NODAY", "VIEW", "DENIED", "B3A1"}
    assert {request.request_id for request in requests} == told
    assert {(visit.address, visit.requests) for visit in read.visits} == {
        ("198.51.100.1", 1),
        ("192.0.2.3", 5),
    }
    assert read.newest == NEXT


def test_what_changes_the_rules_is_named_as_CloudTrail_names_it(logs):
    _, requests = logs(
        line(operation="REST.PUT.ACL", key="-"),
        line(operation="REST.PUT.ACL"),
        line(operation="REST.PUT.NOTIFICATION", key="-"),
    )

    names = ["PutBucketAcl", "PutObjectAcl", "PutBucketNotification"]
    assert [request.operation for request in requests] == names


SERVICES = {
    "delivery.logs.amazonaws.com": True,
    "delivery.logs.amazonaws.com.cn": True,
    "AmazonS3": True,
    "arn:aws:sts::123456789012:assumed-role/thief/delivery.logs.amazonaws.com": False,
    "arn:aws:iam::123456789012:user/s3.amazonaws.com": False,
}


@pytest.mark.parametrize("requester", SERVICES)
def test_nobody_passes_for_a_service_of_AWS_by_the_name_of_a_session(requester, logs):
    read, (request,) = logs(line(requester=requester, operation="REST.DELETE.OBJECT"))

    assert request.is_service is SERVICES[requester]
    assert bool(read.visits) is not SERVICES[requester]


def test_nothing_is_loaded_or_asked_for_besides_the_files(tmp_path):
    import duckdb

    from jarkeeper.sources.access_format import log_engine

    (tmp_path / "log").write_text(line())
    (tmp_path / "other").write_text(line())

    with log_engine([tmp_path / "log"]) as engine:
        for query in (
            f"SELECT * FROM read_text('{tmp_path / 'other'}')",
            "SELECT * FROM read_csv('https://example.invalid/x')",
            "INSTALL httpfs",
            "SET enable_external_access = true",
        ):
            with pytest.raises(duckdb.Error):
                engine.execute(query)
