-- When each generation was the active one, and since when its login was: a write-back goes on with
-- the login of the generation before, everything else makes another login active.
SELECT
    jar, generation,
    MIN(began) AS began,
    CASE WHEN COUNT(*) = COUNT(ended) THEN MAX(ended) END AS ended,
    MIN(active_since) AS active_since
FROM (
    SELECT
        spans.jar, spans.generation, began, active_since,
        COALESCE(MIN(revoked_at), ended) AS ended
    FROM (
        SELECT
            jar, generation,
            moment AS began,
            LEAD(moment) OVER (PARTITION BY jar ORDER BY moment, writer, seq) AS ended,
            MAX(CASE WHEN action <> 'write-back' THEN moment END) OVER (
                PARTITION BY jar ORDER BY moment, writer, seq ROWS UNBOUNDED PRECEDING
            ) AS active_since
        FROM facts
        WHERE action IN ($beginning)
    ) AS spans
    LEFT JOIN (
        SELECT jar, generation, moment AS revoked_at
        FROM facts
        WHERE action = 'revoke'
    ) AS revoked ON revoked.jar = spans.jar AND revoked.generation = spans.generation
        AND revoked_at >= began AND (ended IS NULL OR revoked_at < ended)
    GROUP BY spans.jar, spans.generation, began, active_since, ended
) AS ends
GROUP BY jar, generation
