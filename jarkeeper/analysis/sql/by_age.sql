-- Tries by how many days (UTC) the login of a generation had been the active one.
SELECT
    used.jar, used.generation,
    CAST(GREATEST(0, date_diff(
        'day', CAST(COALESCE(active_since, used_since) AS DATE), CAST(dt AS DATE)
    )) AS BIGINT) AS day_of_life,
    CAST(SUM(n) AS BIGINT) AS tries,
    CAST(SUM(CASE WHEN class = '$succeeded' THEN n ELSE 0 END) AS BIGINT) AS succeeded
FROM (
    SELECT *, MIN(first_at) OVER (PARTITION BY jar, generation) AS used_since
    FROM tries
    WHERE action = 'use'
) AS used
LEFT JOIN lives ON lives.jar = used.jar AND lives.generation = used.generation
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
