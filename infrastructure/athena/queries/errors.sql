-- The failures, the commonest first: of downloads (count), and of tries with cookies (tries), which
WITH facts AS (
-- One pass over the events: what the queries need of them, and what is frequent added up by day.
-- Rare are the events that change which cookies are in use, and incidents: they are read from
-- 2026-08-01 00:00:00.000000 on, because what they began may go on in the span.
SELECT
    dt, action, jar, generation, actor, detail, counts, seconds, moment, writer, seq,
    COUNT(*) AS n,
    MIN(happened) AS first_at
FROM (
    SELECT
        dt, action, jar, counts,
        "at" AS happened,
        CASE WHEN action IN ('lend', 'outline', 'download') THEN '' ELSE generation END AS generation,
        CASE WHEN action IN ('lend', 'outline') THEN actor ELSE '' END AS actor,
        CASE WHEN action = 'incident' THEN detail ELSE '' END AS detail,
        CASE WHEN action = 'incident' THEN seconds ELSE 0 END AS seconds,
        CASE WHEN action NOT IN ('lend', 'outline', 'use', 'download') THEN "at" END AS moment,
        CASE WHEN action NOT IN ('lend', 'outline', 'use', 'download') THEN writer ELSE '' END AS writer,
        CASE WHEN action NOT IN ('lend', 'outline', 'use', 'download') THEN seq ELSE 0 END AS seq
    FROM events
    WHERE dt >= '2026-08-01' AND dt <= '2026-11-30'
        AND "at" >= TIMESTAMP '2026-08-01 00:00:00.000000' AND "at" < TIMESTAMP '2026-12-01 00:00:00.000000'
        AND phase = 'outcome' AND outcome = 'ok'
        AND (
            (action IN ('lend', 'outline', 'use', 'download') AND "at" >= TIMESTAMP '2026-11-01 00:00:00.000000')
            OR action = 'incident'
            OR (action IN ('import', 'rotate', 'promote', 'restore', 'revoke') AND detail = '')
            OR (action = 'write-back' AND detail = '' AND slot = 'active')
        )
) AS kept
GROUP BY dt, action, jar, generation, actor, detail, counts, seconds, moment, writer, seq
),
tries AS (
-- The numbers by class in the events that count something. The classes are a column before they
-- become rows: DuckDB would join an expression to its row again, which takes three times as long.
SELECT
    dt, action, jar, generation, class,
    SUM(n * counts[class]) AS n,
    MIN(first_at) AS first_at
FROM (
    SELECT dt, action, jar, generation, counts, n, first_at, map_keys(counts) AS classes
    FROM facts
    WHERE action IN ('use', 'download')
) AS counted
CROSS JOIN UNNEST(classes) AS t(class)
GROUP BY dt, action, jar, generation, class
),
spans AS (
-- Each incident that was open at some moment of what is read. It begins with its opening, or with
-- what comes first where that is further back: then its end tells how long it took. It ends when it
-- is closed, or where that is not on record when the next of the same cause and jar opens.
SELECT
    cause, jar,
    CASE WHEN is_critical THEN 'critical' WHEN is_warning THEN 'warning' ELSE '' END AS severity,
    opened_at,
    COALESCE(closed_at, next_at) AS ended_at,
    closed_at IS NOT NULL AS is_closed,
    CASE WHEN is_critical THEN COALESCE(critical_at, opened_at) END AS critical_at
FROM (
    SELECT
        cause, jar, is_critical, is_warning, closed_at, critical_at, next_at,
        -- Two of one cause and jar never overlap.
        CASE WHEN told_at < before_at THEN before_at ELSE told_at END AS opened_at
    FROM (
        SELECT
            cause, jar, number,
            MAX(CASE WHEN is_critical THEN 1 ELSE 0 END) = 1 AS is_critical,
            MAX(CASE WHEN is_warning THEN 1 ELSE 0 END) = 1 AS is_warning,
            COALESCE(
                MIN(CASE WHEN kind = 'opened' THEN moment END),
                MIN(CASE WHEN kind = 'closed' THEN moment - seconds * INTERVAL '1' SECOND END),
                MIN(moment)
            ) AS told_at,
            MIN(before_at) AS before_at,
            MIN(CASE WHEN kind = 'closed' THEN moment END) AS closed_at,
            MIN(CASE WHEN kind <> 'closed' AND is_critical THEN moment END) AS critical_at,
            LEAD(MIN(moment)) OVER (PARTITION BY cause, jar ORDER BY number) AS next_at
        FROM (
            SELECT
                *,
                SUM(CASE WHEN kind = 'opened' OR kind_before = 'closed' THEN 1 ELSE 0 END) OVER (
                    PARTITION BY cause, jar ORDER BY moment, writer, seq ROWS UNBOUNDED PRECEDING
                ) AS number
            FROM (
                SELECT
                    *,
                    LAG(kind) OVER (
                        PARTITION BY cause, jar ORDER BY moment, writer, seq
                    ) AS kind_before,
                    LAG(moment, 1, TIMESTAMP '1970-01-01 00:00:00') OVER (
                        PARTITION BY cause, jar ORDER BY moment, writer, seq
                    ) AS before_at
                FROM (
                    SELECT
                        detail AS cause, jar, moment, writer, seq, seconds,
                        CASE
                            WHEN contains(map_keys(counts), 'opened') THEN 'opened'
                            WHEN contains(map_keys(counts), 'closed') THEN 'closed'
                            ELSE 'escalated'
                        END AS kind,
                        contains(map_keys(counts), 'critical') AS is_critical,
                        contains(map_keys(counts), 'warning') AS is_warning
                    FROM facts
                    WHERE action = 'incident'
                ) AS marks
            ) AS ordered
        ) AS numbered
        GROUP BY cause, jar, number
    ) AS grouped
) AS incidents
),
lives AS (
-- When each generation was the active one, and since when its login was: a write-back goes on with
-- the login of the generation before, everything else makes another login active.
SELECT
    jar, generation,
    MIN(began) AS began,
    CASE WHEN COUNT(*) = COUNT(ended) THEN MAX(ended) END AS ended,
    MIN(active_since) AS active_since
FROM (
    SELECT
        spans.jar, spans.generation, began, active_since,
        COALESCE(MIN(revoked_at), ended) AS ended
    FROM (
        SELECT
            jar, generation,
            moment AS began,
            LEAD(moment) OVER (PARTITION BY jar ORDER BY moment, writer, seq) AS ended,
            MAX(CASE WHEN action <> 'write-back' THEN moment END) OVER (
                PARTITION BY jar ORDER BY moment, writer, seq ROWS UNBOUNDED PRECEDING
            ) AS active_since
        FROM facts
        WHERE action IN ('import', 'rotate', 'write-back', 'promote', 'restore')
    ) AS spans
    LEFT JOIN (
        SELECT jar, generation, moment AS revoked_at
        FROM facts
        WHERE action = 'revoke'
    ) AS revoked ON revoked.jar = spans.jar AND revoked.generation = spans.generation
        AND revoked_at >= began AND (ended IS NULL OR revoked_at < ended)
    GROUP BY spans.jar, spans.generation, began, active_since, ended
) AS ends
GROUP BY jar, generation
),
refreshes AS (
-- Each time that newer cookies became a jar's active ones, and how long after the time before.
SELECT jar, "at", action, hours
FROM (
    SELECT
        jar, action, writer, seq,
        moment AS "at",
        (to_unixtime(moment) - to_unixtime(
            LAG(moment) OVER (PARTITION BY jar ORDER BY moment, writer, seq)
        )) / 3600 AS hours
    FROM facts
    WHERE action IN ('import', 'rotate', 'write-back')
) AS renewals
WHERE "at" >= TIMESTAMP '2026-11-01 00:00:00.000000'
ORDER BY jar, "at", writer, seq
)
-- other cookies or a later try may have made good.
SELECT
    class AS failure,
    CAST(SUM(CASE WHEN action = 'download' THEN n ELSE 0 END) AS BIGINT) AS count,
    COALESCE(
        CAST(SUM(CASE WHEN action = 'download' THEN n ELSE 0 END) AS DOUBLE)
        / NULLIF(SUM(SUM(CASE WHEN action = 'download' THEN n ELSE 0 END)) OVER (), 0),
        0
    ) AS share,
    CAST(SUM(CASE WHEN action = 'use' THEN n ELSE 0 END) AS BIGINT) AS tries
FROM tries
WHERE class <> 'OK'
GROUP BY class
ORDER BY 2 DESC, 4 DESC, 1
