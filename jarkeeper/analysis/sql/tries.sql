-- The numbers by class in the events that count something.
SELECT
    dt, action, jar, generation, class,
    SUM(n * counts[class]) AS n,
    MIN(first_at) AS first_at
FROM facts
CROSS JOIN UNNEST(map_keys(counts)) AS t(class)
WHERE action IN ('use', 'download')
GROUP BY dt, action, jar, generation, class
