"""Findings and patterns as conditions: which cause, how grave, and what may close."""

from __future__ import annotations

import pytest

from jarkeeper.audit.patterns import Pattern
from jarkeeper.checks import Finding, Severity
from jarkeeper.incidents import Cause
from jarkeeper.lifecycle.soundness import (
    SOUNDNESS,
    seen_in_findings,
    seen_in_patterns,
    seen_outside,
)

CAUSES = {
    "store": Cause.STORE,
    "audit-unavailable": Cause.STORE,
    "audit-missing": Cause.AUDIT_GAP,
    "rolled-back": Cause.ROLLBACK,
    "generation": Cause.INTEGRITY,
    "deployment": Cause.HEALTH,
}


def finding(code, severity=Severity.WARNING, message="it is so"):
    return Finding(code, severity, message, "do something")


@pytest.mark.parametrize(("code", "cause"), CAUSES.items(), ids=CAUSES.keys())
def test_a_finding_belongs_to_its_cause(code, cause):
    (condition,) = seen_in_findings([finding(code)]).conditions

    assert (condition.cause, condition.jar) == (cause, "")


def test_findings_of_one_cause_are_one_condition_with_the_gravest_first():
    grave = finding("generation", Severity.CRITICAL, "it cannot be opened")

    seen = seen_in_findings([finding("stranger"), grave, finding("view", Severity.OK)])

    (condition,) = seen.conditions
    assert condition.severity is Severity.CRITICAL
    assert condition.message == "it cannot be opened, and 1 more"
    assert {cause for cause, _ in seen.scope} == set(SOUNDNESS)


def test_what_an_outage_kept_from_being_looked_at_closes_no_incident_of_damage():
    seen = seen_in_findings([finding("store"), finding("rolled-back")])

    assert {cause for cause, _ in seen.scope} == {Cause.STORE, Cause.ROLLBACK, Cause.HEALTH}


def test_a_pattern_that_is_well_is_in_scope_and_one_that_was_not_judged_is_not():
    well = Pattern("music", finding("opens", Severity.OK))
    bad = Pattern("youtube", finding("download-failures"))

    seen = seen_in_patterns([well, bad])

    assert [item.jar for item in seen.conditions] == ["youtube"]
    assert seen.scope == {(Cause.OPENS, "music"), (Cause.DOWNLOAD_FAILURES, "youtube")}


def test_of_warnings_cookies_that_lie_in_clear_come_first():
    seen = seen_in_findings([finding("yt-dlp"), finding("leftovers", message="cookies.txt")])

    (condition,) = seen.conditions
    assert condition.message == "cookies.txt, and 1 more"


def test_what_aws_saw_and_the_trail_did_not_is_one_condition_of_the_vault():
    theft = finding("outside", Severity.CRITICAL, "somebody read an envelope")

    seen = seen_outside([finding("access-logs", Severity.OK), finding("rules"), theft])

    (condition,) = seen.conditions
    assert (condition.cause, condition.jar) == (Cause.OUTSIDE, "")
    assert condition.message == "somebody read an envelope, and 1 more"
    assert seen_outside([finding("access-logs", Severity.OK)]).conditions == ()
    assert seen.scope == {(Cause.OUTSIDE, "")}
