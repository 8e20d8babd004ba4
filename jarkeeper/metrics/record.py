"""Recording: measurements go to the sinks that the settings name, and nothing ever comes back."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from jarkeeper.metrics.measure import Measurement

LOG = logging.getLogger("jarkeeper.metrics")


def record(sinks: tuple[str, ...], measurements: Iterable[Measurement]) -> None:
    """Write the measurements to `emf`, `otel`, both or none. Never raises, never stops a run."""
    if not sinks:
        return
    try:
        found = tuple(measurements)
    except Exception as error:  # noqa: BLE001 - a metric is worth no download
        _missed("measuring", error)
        return
    for sink in sinks:
        try:
            _write(sink, found)
        except Exception as error:  # noqa: BLE001 - nor does one sink stop the other
            _missed(sink, error)


def _write(sink: str, measurements: tuple[Measurement, ...]) -> None:
    if sink == "emf":
        from jarkeeper.metrics.emf import write
    else:
        from jarkeeper.metrics.otel import write
    for measurement in measurements:
        write(measurement)


def _missed(part: str, error: Exception) -> None:
    # The error's own text may quote anything.
    LOG.debug("metrics: %s failed, %s", part, type(error).__name__)
