-- The key figures by day: what is counted (part), out of what (whole), computed from how much (n).
WITH days AS (
    SELECT
        CAST(CAST(day AS DATE) AS VARCHAR) AS dt,
        GREATEST(CAST(day AS TIMESTAMP), TIMESTAMP '$since') AS began,
        LEAST(CAST(day AS TIMESTAMP) + INTERVAL '1' DAY, TIMESTAMP '$until') AS ended
    FROM UNNEST(sequence(DATE '$first_day', DATE '$last_day', INTERVAL '1' DAY)) AS t(day)
),
-- The parts of days that the trail knows a jar in, and of those what its session was dead.
observed AS (
    SELECT dt, jar, GREATEST(began, first_at) AS began, ended
    FROM days
    CROSS JOIN (
        SELECT jar, MIN(first_at) AS first_at
        FROM (
            SELECT jar, first_at FROM facts
            UNION ALL
            SELECT jar, opened_at FROM spans
        ) AS signs
        WHERE jar <> ''
        GROUP BY jar
    ) AS jars
    WHERE first_at < ended
),
dead AS (
    SELECT
        dt, observed.jar,
        SUM(
            to_unixtime(LEAST(COALESCE(ended_at, ended), ended))
            - to_unixtime(GREATEST(critical_at, began))
        ) AS seconds
    FROM observed
    JOIN spans ON spans.jar = observed.jar
    WHERE cause = 'session-dead' AND critical_at < ended AND COALESCE(ended_at, ended) > began
    GROUP BY dt, observed.jar
)
SELECT
    'L1' AS figure, dt,
    CAST(SUM(CASE WHEN class = '$succeeded' THEN n ELSE 0 END) AS DOUBLE) AS part,
    CAST(SUM(n) AS DOUBLE) AS whole,
    CAST(SUM(n) AS BIGINT) AS n
FROM tries
WHERE action = 'download' AND class NOT IN ($videos_own)
GROUP BY dt
UNION ALL
SELECT
    'L2', dt,
    CAST(SUM(CASE WHEN class IN ($cookie_failures) THEN n ELSE 0 END) AS DOUBLE),
    CAST(SUM(n) AS DOUBLE),
    CAST(SUM(n) AS BIGINT)
FROM tries
WHERE action = 'use'
GROUP BY dt
UNION ALL
SELECT
    'L3', CAST(CAST("at" AS DATE) AS VARCHAR),
    SUM(hours), CAST(COUNT(*) AS DOUBLE), COUNT(*)
FROM refreshes
WHERE hours IS NOT NULL
GROUP BY 2
UNION ALL
SELECT
    'L4', dt,
    CAST(SUM(CASE WHEN is_security THEN n ELSE 0 END) AS DOUBLE),
    1,
    CAST(SUM(CASE WHEN is_security THEN n ELSE 0 END) AS BIGINT)
FROM (
    SELECT
        dt, n,
        action = 'incident' AND detail IN ($security) AND contains(map_keys(counts), 'opened')
            AS is_security
    FROM facts
    WHERE first_at >= TIMESTAMP '$since'
) AS seen
GROUP BY dt
UNION ALL
SELECT
    'L5', observed.dt,
    SUM(to_unixtime(ended) - to_unixtime(began) - COALESCE(seconds, 0)),
    SUM(to_unixtime(ended) - to_unixtime(began)),
    COUNT(*)
FROM observed
LEFT JOIN dead ON dead.dt = observed.dt AND dead.jar = observed.jar
GROUP BY observed.dt
UNION ALL
SELECT
    'L6', CAST(CAST(ended_at AS DATE) AS VARCHAR),
    SUM((to_unixtime(ended_at) - to_unixtime(opened_at)) / 60),
    CAST(COUNT(*) AS DOUBLE),
    COUNT(*)
FROM spans
WHERE is_closed AND cause IN ($of_cookies) AND ended_at >= TIMESTAMP '$since'
GROUP BY 2
ORDER BY 1, 2
