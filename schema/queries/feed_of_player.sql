-- The player's newest event, and the rows that hold his events after $2: at most $3.
SELECT p.last_event, o.player_id, o.last_seq, o.created_at, o.ids, o.types, o.bodies
FROM player p
LEFT JOIN LATERAL (
    SELECT r.player_id, r.last_seq, r.created_at, r.ids, r.types, r.bodies
    FROM outbox r
    WHERE r.player_id = p.id AND r.last_seq > $2
    ORDER BY r.last_seq
    LIMIT $3
) o ON true
WHERE p.id = $1
ORDER BY o.last_seq
