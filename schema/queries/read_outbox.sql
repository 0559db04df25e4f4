-- The events of a lane after a lane number, of at most $3 decisions: whole decisions, or a checkpoint could part one.
SELECT o.lane_seq, e.id, o.player_id, e.type, e.body
FROM (
    SELECT *
    FROM outbox r
    WHERE r.lane = $1 AND r.lane_seq > $2
    ORDER BY r.lane_seq
    LIMIT $3
) o
CROSS JOIN LATERAL unnest(o.ids, o.types, o.bodies) WITH ORDINALITY AS e (id, type, body, position)
ORDER BY o.lane_seq, e.position
