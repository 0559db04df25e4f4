SELECT format(
    'lane %s: %s decisions from %s to %s, %s published, the newest should be %s', l.id, coalesce(o.decisions, 0), o.first,
    o.last, p.published, l.seq
) AS breach
FROM lane l
LEFT JOIN lane_publisher p ON p.lane = l.id
LEFT JOIN (
    SELECT lane, count(*) AS decisions, min(lane_seq) AS first, max(lane_seq) AS last
    FROM outbox
    GROUP BY lane
) o ON o.lane = l.id
-- Old events may be dropped once they are published, oldest first.
WHERE $1::text IS NULL
    AND (
        coalesce(o.last, p.published) IS DISTINCT FROM l.seq OR o.last - o.first + 1 <> o.decisions
        OR p.published > l.seq OR o.first - 1 > p.published
    )
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
