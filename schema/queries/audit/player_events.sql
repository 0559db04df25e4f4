-- Old events are trimmed, oldest first: what is there must reach the newest without a gap, and only a lane that was
-- trimmed may lack a player's. The player '' is nobody: his newest event the head of the audit log knows, his lane is 0.
-- How many there should be is counted by lane: see lane_events.sql.
SELECT format(
    'player %s: events %s to %s follow %s on lane %s; his newest is %s on lane %s', o.player_id, o.before + 1,
    o.last_seq, coalesce(o.previous, 0), o.lane,
    coalesce(coalesce(p.last_event, h.last_event)::text, 'none: there is no such player'), coalesce(p.lane, 0)
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
LEFT JOIN audit_head h ON o.player_id = ''
WHERE (p.id IS NULL AND h.number IS NULL) OR coalesce(p.lane, 0) <> o.lane OR o.before <> o.previous
    OR (o.next IS NULL AND o.last_seq <> coalesce(p.last_event, h.last_event))
    OR (
        o.previous IS NULL AND o.before <> 0
        AND 0 = (SELECT t.trimmed FROM lane_publisher t WHERE t.lane = o.lane)
    )
UNION ALL
SELECT format('player %s: no events, the newest should be %s', p.id, p.last_event)
FROM player p
LEFT JOIN outbox o ON o.player_id = p.id
WHERE o.player_id IS NULL AND p.last_event <> 0 AND ($1::text IS NULL OR p.id = $1)
    AND 0 = (SELECT t.trimmed FROM lane_publisher t WHERE t.lane = p.lane)
