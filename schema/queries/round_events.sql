-- The events that tell of round $4 of provider $3, of player $1, decided from $2 to $5: of his first $6 decisions of that
-- time. None when they are no longer kept.
SELECT e.body
FROM (
    SELECT r.last_seq, r.bodies
    FROM outbox r
    WHERE r.player_id = $1::text AND r.last_seq >= first_seq_at($1::text, $2::timestamptz)
        AND r.last_seq < first_seq_at($1::text, $5::timestamptz + interval '1 microsecond')
    ORDER BY r.last_seq
    LIMIT $6::int8
) o
CROSS JOIN LATERAL unnest(o.bodies) WITH ORDINALITY AS e (body, position)
CROSS JOIN LATERAL json_to_record(e.body::json -> 'data') AS d (provider text, round text)
WHERE d.provider = $3::text AND d.round = $4::text
ORDER BY o.last_seq, e.position
