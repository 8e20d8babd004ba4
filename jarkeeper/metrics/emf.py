"""CloudWatch's embedded metric format: each measurement is one line of JSON.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from jarkeeper.metrics.measure import Measurement
from jarkeeper.metrics.table import Instrument, Kind

NAMESPACE = "Jarkeeper"

_streams = ["stdout"]
"""The one that this process writes to, looked up at each line: programs put others in its place."""


def keep_standard_output_free() -> None:
    """Have this process's lines on standard error: a command's own answer is on the other."""
    _streams[0] = "stderr"


def write(measurement: Measurement) -> None:
    """Write one line, in one piece: threads may write at once."""
    stream = getattr(sys, _streams[0])
    document = emf_document(measurement, milliseconds=time.time_ns() // 1_000_000)
    stream.write(json.dumps(document, allow_nan=False, separators=(",", ":")) + "\n")
    stream.flush()


def emf_document(measurement: Measurement, *, milliseconds: int) -> dict[str, Any]:
    """Return the measurement as CloudWatch reads it."""
    instrument = measurement.instrument
    directive = {
        "Namespace": NAMESPACE,
        "Dimensions": dimension_sets(instrument),
        "Metrics": [{"Name": instrument.name, "Unit": instrument.unit}],
    }
    metadata = {"Timestamp": milliseconds, "CloudWatchMetrics": [directive]}
    return {"_aws": metadata, **measurement.dimensions, instrument.name: measurement.value}


def dimension_sets(instrument: Instrument) -> list[list[str]]:
    """Return what CloudWatch keeps apart: all dimensions, and each leading part of them.

    An alarm adds up no metrics, so the sums have to be metrics. A sum of states says nothing.
    """
    names = instrument.dimensions
    shortest = len(names) if instrument.kind is Kind.GAUGE else 1
    return [list(names[:length]) for length in range(shortest, len(names) + 1)]
