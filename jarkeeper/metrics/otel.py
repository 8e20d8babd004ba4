"""OpenTelemetry: a meter `jarkeeper`. The SDK that takes what it measures is the user's matter.

Without one, OpenTelemetry's own interface lets everything go.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from opentelemetry.metrics import get_meter

from jarkeeper import __version__
from jarkeeper.metrics.measure import Measurement
from jarkeeper.metrics.table import INSTRUMENTS, Kind, Unit

UNITS = {Unit.COUNT: "1", Unit.SECONDS: "s", Unit.PERCENT: "%"}
"""By the Unified Code for Units of Measure, as OpenTelemetry wants them."""


def write(measurement: Measurement) -> None:
    """Hand the measurement to the meter."""
    _writer(measurement.instrument.name)(measurement.value, dict(measurement.dimensions))


@cache
def _writer(name: str) -> Callable[[float, dict[str, str]], None]:
    instrument = INSTRUMENTS[name]
    meter = get_meter("jarkeeper", __version__)
    named = (f"jarkeeper.{name}", UNITS[instrument.unit], instrument.meaning)
    match instrument.kind:
        case Kind.COUNTER:
            return meter.create_counter(*named).add
        case Kind.HISTOGRAM:
            return meter.create_histogram(*named).record
        case Kind.GAUGE:
            return meter.create_gauge(*named).set
