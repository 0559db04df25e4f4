-- Transactions of player $1, newest first: numbers from $3 up to before $2; then as in search_newest.sql.
SELECT *
FROM shown_transaction l
WHERE l.player_id = $1::text AND l.number < $2::int8 AND l.number >= $3::int8
    AND ($4::text IS NULL OR l.provider_id = $4) AND ($5::text IS NULL OR l.game_id = $5)
    AND ($6::text IS NULL OR l.kind = $6) AND ($7::text IS NULL OR l.state = $7)
    AND ($8::text IS NULL OR l.currency = $8)
    AND ($9::int8 IS NULL OR l.amount >= $9) AND ($10::int8 IS NULL OR l.amount <= $10)
    AND ($11::timestamptz IS NULL OR l.created_at >= $11) AND ($12::timestamptz IS NULL OR l.created_at < $12)
ORDER BY l.number DESC
LIMIT $13::int8
