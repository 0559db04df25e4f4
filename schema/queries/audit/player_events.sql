-- Old events are trimmed, oldest first: what is there must reach the newest without a gap, and only a lane that was
-- trimmed may lack a player's. How many there should be is counted by lane: see lane_events.sql.
SELECT format(
    'player %s: %s events from %s to %s, the newest should be %s', p.id, coalesce(e.events, 0), e.first, e.last,
    p.last_event
) AS breach
FROM player p
JOIN lane_publisher t ON t.lane = p.lane
LEFT JOIN (
    SELECT player_id, count(*) AS events, min(seq) AS first, max(seq) AS last
    FROM event
    GROUP BY player_id
) e ON e.player_id = p.id
WHERE coalesce(e.last, p.last_event) <> p.last_event OR e.last - e.first + 1 <> e.events
    OR (t.trimmed = 0 AND coalesce(e.first, p.last_event + 1) <> 1)
UNION ALL
SELECT format('event %s belongs to player %s, who does not exist', e.id, e.player_id)
FROM event e
LEFT JOIN player p ON p.id = e.player_id
WHERE p.id IS NULL
