-- Downloads by day and by how they ended.
SELECT dt, class AS outcome, CAST(SUM(n) AS BIGINT) AS downloads
FROM tries
WHERE action = 'download'
GROUP BY dt, class
ORDER BY dt, class
