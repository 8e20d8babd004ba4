-- Who opened which jar how often: jars that were handed out, or looked at for an outline.
SELECT
    dt, jar,
    COALESCE(NULLIF(regexp_replace(actor, ' [^ ]*$$', ''), ''), actor) AS principal,
    regexp_extract(actor, '[^ ]*$$') AS flow,
    CAST(SUM(n) AS BIGINT) AS opens
FROM facts
WHERE action IN ('lend', 'outline')
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
