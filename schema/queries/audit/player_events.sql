-- Old events may be dropped, a lane's oldest first: a player's first may be missing only where his lane's first is.
-- What is there must reach the newest without a gap.
SELECT format(
    'player %s: events %s to %s follow %s on lane %s; his newest is %s on lane %s', o.player_id, o.before + 1,
    o.last_seq, coalesce(o.previous, 0), o.lane, coalesce(p.last_event::text, 'none: there is no such player'), p.lane
) AS breach
FROM (
    SELECT
        player_id, lane, last_seq, last_seq - cardinality(ids) AS before,
        lag(last_seq) OVER (PARTITION BY player_id ORDER BY last_seq) AS previous,
        lead(last_seq) OVER (PARTITION BY player_id ORDER BY last_seq) AS next
    FROM outbox
    WHERE ($1::text IS NULL OR player_id = $1)
) o
LEFT JOIN player p ON p.id = o.player_id
WHERE p.id IS NULL OR p.lane <> o.lane OR o.before <> o.previous
    OR (o.next IS NULL AND o.last_seq <> p.last_event)
    OR (
        o.previous IS NULL AND o.before <> 0
        AND 1 = (SELECT f.lane_seq FROM outbox f WHERE f.lane = o.lane ORDER BY f.lane_seq LIMIT 1)
    )
UNION ALL
SELECT format('player %s: no events, the newest should be %s', p.id, p.last_event)
FROM player p
LEFT JOIN outbox o ON o.player_id = p.id
WHERE o.player_id IS NULL AND p.last_event <> 0 AND ($1::text IS NULL OR p.id = $1)
    AND 1 = (SELECT f.lane_seq FROM outbox f WHERE f.lane = p.lane ORDER BY f.lane_seq LIMIT 1)
