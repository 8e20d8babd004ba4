-- Each time that newer cookies became a jar's active ones, and how long after the time before.
SELECT jar, "at", action, hours
FROM (
    SELECT
        jar, action, writer, seq,
        moment AS "at",
        (to_unixtime(moment) - to_unixtime(
            LAG(moment) OVER (PARTITION BY jar ORDER BY moment, writer, seq)
        )) / 3600 AS hours
    FROM facts
    WHERE action IN ($renewing)
) AS renewals
WHERE "at" >= TIMESTAMP '$since'
ORDER BY jar, "at", writer, seq
