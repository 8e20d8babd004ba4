-- Volumes: finished days as Parquet.
CREATE EXTERNAL TABLE archived_events (
    `at` TIMESTAMP,
    `action` STRING,
    `phase` STRING,
    `access` STRING,
    `actor` STRING,
    `flow_run` STRING,
    `jar` STRING,
    `slot` STRING,
    `generation` STRING,
    `head_seq` BIGINT,
    `outcome` STRING,
    `detail` STRING,
    `counts` MAP<STRING, BIGINT>,
    `seconds` DOUBLE,
    `writer` STRING,
    `seq` BIGINT
)
PARTITIONED BY (dt STRING)
STORED AS PARQUET
LOCATION 's3://BUCKET/audit/archive/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2026-01-01,NOW',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'storage.location.template' = 's3://BUCKET/audit/archive/dt=${dt}'
);

-- Raw events: one JSON line each, with the time as text.
CREATE EXTERNAL TABLE raw_events (
    `at` STRING,
    `action` STRING,
    `phase` STRING,
    `access` STRING,
    `actor` STRING,
    `flow_run` STRING,
    `jar` STRING,
    `slot` STRING,
    `generation` STRING,
    `head_seq` BIGINT,
    `outcome` STRING,
    `detail` STRING,
    `counts` MAP<STRING, BIGINT>,
    `seconds` DOUBLE,
    `writer` STRING,
    `seq` BIGINT
)
PARTITIONED BY (dt STRING)
ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
STORED AS TEXTFILE
LOCATION 's3://BUCKET/audit/'
TBLPROPERTIES (
    'projection.enabled' = 'true',
    'projection.dt.type' = 'date',
    'projection.dt.format' = 'yyyy-MM-dd',
    'projection.dt.range' = '2026-01-01,NOW',
    'projection.dt.interval' = '1',
    'projection.dt.interval.unit' = 'DAYS',
    'storage.location.template' = 's3://BUCKET/audit/dt=${dt}'
);

-- All of them, each once: what was packed lies by itself too until a rule deletes it.
CREATE OR REPLACE VIEW events AS
SELECT "at", "action", "phase", "access", "actor", "flow_run", "jar", "slot", "generation", "head_seq", "outcome", "detail", "counts", "seconds", "writer", "seq", dt FROM archived_events
UNION ALL
SELECT CAST(from_iso8601_timestamp("at") AS TIMESTAMP) AS "at", "action", "phase", "access", "actor", "flow_run", "jar", "slot", "generation", "head_seq", "outcome", "detail", "counts", "seconds", "writer", "seq", dt FROM raw_events
WHERE NOT EXISTS (
    SELECT 1 FROM archived_events AS packed
    WHERE packed.dt = raw_events.dt
        AND packed."writer" = raw_events."writer" AND packed."seq" = raw_events."seq"
);
