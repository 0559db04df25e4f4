-- Old events may have been dropped, oldest first: what is there must reach the newest without a gap.
SELECT format(
    'player %s: %s events from %s to %s, the newest should be %s', p.id, coalesce(e.events, 0), e.first, e.last,
    p.last_event
) AS breach
FROM player p
LEFT JOIN (
    SELECT player_id, count(*) AS events, min(seq) AS first, max(seq) AS last
    FROM event
    GROUP BY player_id
) e ON e.player_id = p.id
WHERE coalesce(e.last, p.last_event) <> p.last_event OR e.last - e.first + 1 <> e.events
    OR (e.events IS NULL AND p.last_event <> 0)
UNION ALL
SELECT format('event %s belongs to player %s, who does not exist', e.id, e.player_id)
FROM event e
LEFT JOIN player p ON p.id = e.player_id
WHERE p.id IS NULL
