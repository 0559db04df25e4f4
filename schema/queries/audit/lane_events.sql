SELECT format('lane %s: %s events from %s to %s, the newest should be %s', l.id, e.events, e.first, e.last, l.seq) AS breach
FROM lane l
LEFT JOIN (
    SELECT lane, count(*) AS events, min(lane_seq) AS first, max(lane_seq) AS last
    FROM event
    GROUP BY lane
) e ON e.lane = l.id
WHERE coalesce(e.last, 0) <> l.seq OR e.last - e.first + 1 <> e.events
UNION ALL
SELECT format('lane %s: event %s of player %s comes after a later one', lane, lane_seq, player_id)
FROM (
    SELECT lane, lane_seq, player_id, seq, lag(seq) OVER (PARTITION BY player_id ORDER BY lane, lane_seq) AS before
    FROM event
) o
WHERE seq <= before
