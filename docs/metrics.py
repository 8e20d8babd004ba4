"""The page of metrics, from the table of instruments itself."""

from __future__ import annotations

from jarkeeper.metrics.emf import NAMESPACE, dimension_sets
from jarkeeper.metrics.otel import UNITS
from jarkeeper.metrics.table import INSTRUMENTS, Instrument

PAGE = """# Metrics

Off by default. `JARKEEPER_METRICS=emf` writes lines for CloudWatch, `otel` hands the same numbers
to OpenTelemetry, `emf,otel` does both. Neither can fail a download: what cannot be written is let
go, and told at `JARKEEPER_LOG_LEVEL=debug`. With `none`, nothing of it is even imported.

| name | kind | unit | dimensions | meaning |
|---|---|---|---|---|
{rows}

A dimension that does not apply is `none`. No dimension names a generation, a video or a person:
each takes a few values, and none can hold what is secret. The slot is `active`, `backup` or
`pending`; classes are those of [failures](failures.md).

## CloudWatch

Each measurement is one line of the
[embedded metric format](https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html)
in the namespace `{namespace}`; whatever takes the process's output to CloudWatch Logs makes metrics
of it, such as Docker's and ECS's log driver `awslogs` with the option `awslogs-format: json/emf`.

The lines go to standard output in flows and in Python, and to standard error in the command
`jarkeeper`, `--flow` included: what a command prints on standard output is its answer, which
scripts read, such as the document of `--json`.

An alarm in CloudWatch adds no metrics up. So a counter or histogram is kept by all its dimensions
and by each leading part of them, such as {example}; a gauge by all of them alone.

## OpenTelemetry

The meter is `jarkeeper`, and `jarkeeper.` stands before each name; units are {units}. Which SDK
takes the numbers, and where it sends them, is configured as for every program, by the variables
`OTEL_*`:

```
pip install 'jarkeeper[otel]'
export JARKEEPER_METRICS=otel OTEL_SERVICE_NAME=jarkeeper
export OTEL_TRACES_EXPORTER=none OTEL_LOGS_EXPORTER=none OTEL_METRICS_EXPORTER=otlp
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318
opentelemetry-instrument jarkeeper download …
```

A Python program sets its own `MeterProvider` instead. Without an SDK nothing is sent anywhere. A
collector that gives no answer holds no download up, but the SDK tries to send for up to
`OTEL_EXPORTER_OTLP_TIMEOUT`, 10 seconds, when the process ends.

## What counts where

Each event of the audit trail is measured once, by the process that writes it. The worker of a run
has no output of its own, because it holds plaintext: it sends what it measured to its run as
messages, and the run records it. The variables `OTEL_*` never reach it. A worker that is killed
takes with it what it had not sent; the trail has it all the same.

Metrics are for dashboards and alarms. What really happened stands in the audit trail.
"""


def metrics_page() -> str:
    """Return the table of instruments, and how they get out."""
    downloads = INSTRUMENTS["downloads"]
    example = ", ".join(f"`{' '.join(names)}`" for names in dimension_sets(downloads))
    units = ", ".join(f"`{code}` for {unit}" for unit, code in UNITS.items())
    rows = "\n".join(map(row, INSTRUMENTS.values()))
    return PAGE.format(rows=rows, namespace=NAMESPACE, example=example, units=units)


def row(instrument: Instrument) -> str:
    """Return one line of the table."""
    dimensions = ", ".join(f"`{name}`" for name in instrument.dimensions)
    cells = (f"`{instrument.name}`", instrument.kind, instrument.unit, dimensions)
    return f"| {' | '.join((*cells, instrument.meaning))} |"
