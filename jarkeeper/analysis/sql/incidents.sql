-- Incidents that were open at some moment of the span; an end after it is not known yet.
SELECT
    cause, jar, severity, opened_at,
    ended_at AS closed_at,
    (to_unixtime(ended_at) - to_unixtime(opened_at)) / 3600 AS hours
FROM spans
WHERE ended_at IS NULL OR ended_at >= TIMESTAMP '$since'
ORDER BY opened_at, cause, jar
