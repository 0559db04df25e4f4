-- The transactions of a period, oldest first: $1 from, $2 to, $3 and $4 the ids of that time; then what is wanted:
-- provider, game, kind, state, currency, least amount, player. $12 with test players.
SELECT *
FROM shown_transaction l
WHERE l.id >= $3::uuid AND l.id < $4::uuid
    AND l.created_at >= $1::timestamptz AND l.created_at < $2::timestamptz
    AND ($5::text IS NULL OR l.provider_id = $5) AND ($6::text IS NULL OR l.game_id = $6)
    AND ($7::text IS NULL OR l.kind = $7) AND ($8::text IS NULL OR l.state = $8)
    AND ($9::text IS NULL OR l.currency = $9) AND ($10::int8 IS NULL OR l.amount >= $10)
    AND ($11::text IS NULL OR l.player_id = $11)
    AND ($12::bool OR l.player_id NOT IN (SELECT t.id FROM test_player t))
ORDER BY l.id
