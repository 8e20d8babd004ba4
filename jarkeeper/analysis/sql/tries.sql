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
