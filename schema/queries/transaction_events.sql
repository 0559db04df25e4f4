-- The events that tell of transaction $2 (as events name it) of player $1, decided at $3: whatever he decided in that
-- very moment is looked through. None when they are no longer kept.
SELECT e.seq, e.body
FROM outbox o
CROSS JOIN LATERAL (
    SELECT o.last_seq - cardinality(o.bodies) + b.position AS seq, b.body
    FROM unnest(o.bodies) WITH ORDINALITY AS b (body, position)
) e
WHERE o.player_id = $1::text
    AND o.last_seq >= first_seq_at($1::text, $3::timestamptz)
    -- A decision has fewer events than this, and a moment fewer decisions.
    AND o.last_seq < first_seq_at($1::text, $3::timestamptz) + 1000
    AND o.created_at = $3::timestamptz
    AND e.body::json ->> 'transaction' = $2::text
ORDER BY e.seq
