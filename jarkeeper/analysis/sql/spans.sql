-- Each incident that was open at some moment from $history on: an opening, what follows it up to
-- the next one of the same cause and jar, and when it ended. What was opened before $history shows
-- by its end, which tells how long it took.
SELECT
    cause, jar, is_opened,
    CASE WHEN is_critical THEN 'critical' WHEN is_warning THEN 'warning' ELSE '' END AS severity,
    opened_at,
    COALESCE(closed_at, next_opened_at) AS ended_at,
    closed_at IS NOT NULL AS is_closed,
    CASE WHEN is_critical THEN COALESCE(critical_at, opened_at) END AS critical_at
FROM (
    SELECT
        cause, jar, number,
        MAX(CASE WHEN kind = 'opened' THEN 1 ELSE 0 END) = 1 AS is_opened,
        MAX(CASE WHEN is_critical THEN 1 ELSE 0 END) = 1 AS is_critical,
        MAX(CASE WHEN is_warning THEN 1 ELSE 0 END) = 1 AS is_warning,
        COALESCE(
            MIN(CASE WHEN kind = 'opened' THEN moment END),
            MIN(CASE WHEN kind = 'closed' THEN moment - seconds * INTERVAL '1' SECOND END),
            MIN(moment)
        ) AS opened_at,
        MIN(CASE WHEN kind = 'closed' THEN moment END) AS closed_at,
        MIN(CASE WHEN kind <> 'closed' AND is_critical THEN moment END) AS critical_at,
        LEAD(MIN(moment)) OVER (PARTITION BY cause, jar ORDER BY number) AS next_opened_at
    FROM (
        SELECT
            *,
            SUM(CASE WHEN kind = 'opened' THEN 1 ELSE 0 END) OVER (
                PARTITION BY cause, jar ORDER BY moment, writer, seq ROWS UNBOUNDED PRECEDING
            ) AS number
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
    ) AS numbered
    GROUP BY cause, jar, number
) AS incidents
