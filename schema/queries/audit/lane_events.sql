SELECT format('lane %s: %s decisions from %s to %s, the newest should be %s', l.id, o.decisions, o.first, o.last, l.seq)
    AS breach
FROM lane l
LEFT JOIN (
    SELECT lane, count(*) AS decisions, min(lane_seq) AS first, max(lane_seq) AS last
    FROM outbox
    GROUP BY lane
) o ON o.lane = l.id
WHERE coalesce(o.last, 0) <> l.seq OR o.last - o.first + 1 <> o.decisions
UNION ALL
SELECT format('lane %s: event %s of player %s comes after a later one', lane, lane_seq, player_id)
FROM (
    SELECT
        lane, lane_seq, player_id, last_seq - cardinality(ids) + 1 AS first_seq,
        lag(last_seq) OVER (PARTITION BY player_id ORDER BY lane, lane_seq) AS before
    FROM outbox
) o
WHERE first_seq <= before
