-- The failures among the downloads, the commonest first.
SELECT
    class AS failure,
    CAST(SUM(n) AS BIGINT) AS count,
    CAST(SUM(n) AS DOUBLE) / SUM(SUM(n)) OVER () AS share
FROM tries
WHERE action = 'download' AND class <> '$succeeded'
GROUP BY class
ORDER BY SUM(n) DESC, class
