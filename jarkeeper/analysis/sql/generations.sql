-- Each generation that was active or used in the span; where the trail does not tell when it became
-- active, as for a backup, it begins with its first use.
SELECT
    COALESCE(lives.jar, used.jar) AS jar,
    COALESCE(lives.generation, used.generation) AS generation,
    COALESCE(began, first_at) AS began,
    ended,
    CAST(COALESCE(tries, 0) AS BIGINT) AS tries,
    CAST(COALESCE(succeeded, 0) AS BIGINT) AS succeeded,
    CAST(COALESCE(cookie_failures, 0) AS BIGINT) AS cookie_failures
FROM lives
FULL JOIN (
    SELECT
        jar, generation,
        MIN(first_at) AS first_at,
        SUM(n) AS tries,
        SUM(CASE WHEN class = '$succeeded' THEN n ELSE 0 END) AS succeeded,
        SUM(CASE WHEN class IN ($cookie_failures) THEN n ELSE 0 END) AS cookie_failures
    FROM tries
    WHERE action = 'use'
    GROUP BY jar, generation
) AS used ON used.jar = lives.jar AND used.generation = lives.generation
WHERE tries > 0 OR ended IS NULL OR ended >= TIMESTAMP '$since'
ORDER BY 1, 3, 2
