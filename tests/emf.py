"""The rules of CloudWatch's embedded metric format, as specification and schema state them."""

from __future__ import annotations

import json
from typing import Any

UNITS = {"Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"} | {
    f"{size}{rate}"
    for thing in ("bytes", "bits")
    for size in (thing.capitalize(), *(part + thing for part in ("Kilo", "Mega", "Giga", "Tera")))
    for rate in ("", "/Second")
}
METRICS_MAX, SETS_KEYS_MAX, NAME_MAX, VALUES_MAX = 100, 9, 255, 100
"""The oldest of the published limits: newer ones are wider."""


def read_emf(line: str) -> dict[str, Any]:
    """Return the document of one line, or fail with the rule that it breaks."""
    assert line.endswith("\n"), "a document is one line"
    assert len(line.encode()) <= 256 * 1024, "an event is at most 256 KB"
    document = json.loads(line, parse_constant=lambda name: refuse(f"{name} is no JSON"))
    metadata = document["_aws"]
    assert set(metadata) == {"Timestamp", "CloudWatchMetrics"}
    assert type(metadata["Timestamp"]) is int, "milliseconds since 1970"
    assert 1e12 < metadata["Timestamp"] < 1e13, "milliseconds, not seconds"
    for directive in metadata["CloudWatchMetrics"]:
        check_directive(directive, document)
    return document


def check_directive(directive: dict[str, Any], document: dict[str, Any]) -> None:
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert is_name(directive["Namespace"])
    assert directive["Dimensions"], "one set of dimensions at least"
    for names in directive["Dimensions"]:
        assert len(names) == len(set(names)) <= SETS_KEYS_MAX
        for name in names:
            assert is_name(name)
            assert is_name(document[name]), "a dimension's value is a text, and not empty"
    assert 1 <= len(directive["Metrics"]) <= METRICS_MAX
    for metric in directive["Metrics"]:
        assert set(metric) <= {"Name", "Unit"}
        assert is_name(metric["Name"])
        assert metric.get("Unit", "None") in UNITS
        value = document[metric["Name"]]
        values = value if isinstance(value, list) else [value]
        assert len(values) <= VALUES_MAX
        assert all(type(one) in (int, float) for one in values)


def is_name(text: object) -> bool:
    return isinstance(text, str) and 1 <= len(text) <= NAME_MAX


def refuse(reason: str) -> None:
    raise AssertionError(reason)
