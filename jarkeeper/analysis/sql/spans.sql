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
