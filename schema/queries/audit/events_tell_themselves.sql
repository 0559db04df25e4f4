-- An event that belongs to no player tells none.
SELECT format(
    'player %s: event %s (%s %s) calls itself %s of player %s (%s %s)', e.player_id, e.seq, e.type, e.id, b.seq,
    b.player, b.type, b.id
) AS breach
FROM event e
LEFT JOIN LATERAL json_to_record(e.body::json) AS b (id uuid, type text, player text, seq bigint) ON true
WHERE ($1::text IS NULL OR e.player_id = $1)
    AND (b.id, b.type, b.player, b.seq) IS DISTINCT FROM (e.id, e.type, nullif(e.player_id, ''), e.seq)
