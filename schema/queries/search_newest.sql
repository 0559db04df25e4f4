-- Transactions of all players, newest first: ids from $2 up to before $1; then what is wanted of them: provider, game,
-- kind, state, currency, amounts, times; at most $12.
SELECT *
FROM shown_transaction l
WHERE l.id < $1::uuid AND l.id >= $2::uuid
    AND ($3::text IS NULL OR l.provider_id = $3) AND ($4::text IS NULL OR l.game_id = $4)
    AND ($5::text IS NULL OR l.kind = $5) AND ($6::text IS NULL OR l.state = $6)
    AND ($7::text IS NULL OR l.currency = $7)
    AND ($8::int8 IS NULL OR l.amount >= $8) AND ($9::int8 IS NULL OR l.amount <= $9)
    AND ($10::timestamptz IS NULL OR l.created_at >= $10) AND ($11::timestamptz IS NULL OR l.created_at < $11)
ORDER BY l.id DESC
LIMIT $12::int8
