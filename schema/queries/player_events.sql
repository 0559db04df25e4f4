-- A player's events with $2 < seq <= $3, at most $4. Each row has at least one event: $4 rows are enough.
SELECT e.seq, e.body
FROM (
    SELECT r.last_seq, r.bodies
    FROM outbox r
    WHERE r.player_id = $1 AND r.last_seq > $2
    ORDER BY r.last_seq
    LIMIT $4
) o
CROSS JOIN LATERAL (
    SELECT o.last_seq - cardinality(o.bodies) + b.position AS seq, b.body
    FROM unnest(o.bodies) WITH ORDINALITY AS b (body, position)
) e
WHERE e.seq > $2 AND e.seq <= $3
ORDER BY e.seq
LIMIT $4
