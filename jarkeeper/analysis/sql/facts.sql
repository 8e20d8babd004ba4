-- One pass over the events: what the queries need of them, and what is frequent added up by day.
-- Rare are the events that change which cookies are in use, and incidents: they are read from
-- $history on, because what they began may go on in the span.
SELECT
    dt, action, jar, generation, actor, detail, counts, seconds, moment, writer, seq,
    COUNT(*) AS n,
    MIN(happened) AS first_at
FROM (
    SELECT
        dt, action, jar, counts,
        "at" AS happened,
        CASE WHEN action IN ('lend', 'outline', 'download') THEN '' ELSE generation END AS generation,
        CASE WHEN action IN ('lend', 'outline') THEN actor ELSE '' END AS actor,
        CASE WHEN action = 'incident' THEN detail ELSE '' END AS detail,
        CASE WHEN action = 'incident' THEN seconds ELSE 0 END AS seconds,
        CASE WHEN action NOT IN ($frequent) THEN "at" END AS moment,
        CASE WHEN action NOT IN ($frequent) THEN writer ELSE '' END AS writer,
        CASE WHEN action NOT IN ($frequent) THEN seq ELSE 0 END AS seq
    FROM events
    WHERE dt >= '$history_day' AND dt <= '$last_day'
        AND "at" >= TIMESTAMP '$history' AND "at" < TIMESTAMP '$until'
        AND phase = 'outcome' AND outcome = 'ok'
        AND (
            (action IN ($frequent) AND "at" >= TIMESTAMP '$since')
            OR action = 'incident'
            OR (action IN ($changing) AND detail = '')
            OR (action = 'write-back' AND detail = '' AND slot = 'active')
        )
) AS kept
GROUP BY dt, action, jar, generation, actor, detail, counts, seconds, moment, writer, seq
