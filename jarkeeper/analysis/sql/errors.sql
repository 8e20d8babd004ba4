-- The failures, the commonest first: of downloads (count), and of tries with cookies (tries), which
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
WHERE class <> '$succeeded'
GROUP BY class
ORDER BY 2 DESC, 4 DESC, 1
