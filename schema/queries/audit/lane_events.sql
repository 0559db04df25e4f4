-- What is kept of a lane begins where trimming ended and has no hole, and with what was trimmed it is all that ever
-- happened to the lane's players.
SELECT format(
    'lane %s: %s decisions from %s to %s, they should be %s to %s; %s published', l.id, coalesce(o.decisions, 0),
    o.first, o.last, t.trimmed + 1, l.seq, t.published
) AS breach
FROM lane l
LEFT JOIN lane_publisher t ON t.lane = l.id
LEFT JOIN (
    SELECT lane, count(*) AS decisions, min(lane_seq) AS first, max(lane_seq) AS last
    FROM outbox
    GROUP BY lane
) o ON o.lane = l.id
WHERE $1::text IS NULL
    AND (
        coalesce(o.last, t.trimmed) IS DISTINCT FROM l.seq
        OR coalesce(o.first, t.trimmed + 1) IS DISTINCT FROM t.trimmed + 1
        OR o.last - o.first + 1 <> o.decisions OR t.published > l.seq
    )
UNION ALL
SELECT format(
    'lane %s: its players had %s events, %s are kept and %s were trimmed', t.lane, coalesce(p.events, 0),
    coalesce(o.events, 0), t.trimmed_events
)
FROM lane_publisher t
LEFT JOIN (SELECT lane, sum(last_event) AS events FROM event_source GROUP BY lane) p ON p.lane = t.lane
LEFT JOIN (SELECT lane, sum(cardinality(ids)) AS events FROM outbox GROUP BY lane) o ON o.lane = t.lane
WHERE $1::text IS NULL AND coalesce(p.events, 0) <> coalesce(o.events, 0) + t.trimmed_events
UNION ALL
SELECT format('lane %s: decision %s of player %s comes after a later one', lane, lane_seq, player_id)
FROM (
    SELECT
        lane, lane_seq, player_id, last_seq - cardinality(ids) + 1 AS first_seq,
        lag(last_seq) OVER (PARTITION BY player_id ORDER BY lane, lane_seq) AS before
    FROM outbox
    WHERE ($1::text IS NULL OR player_id = $1)
) o
WHERE first_seq <= before
