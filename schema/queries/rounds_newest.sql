-- Rounds of all players, newest first, each found at the transaction that opened it: ids from $2 up to before $1; then
-- what is wanted: provider, game, currency, state, times; at most $9.
SELECT r.*, l.id AS opened_by
FROM ledger l
CROSS JOIN LATERAL (
    SELECT *
    FROM round k
    WHERE k.player_id = l.player_id AND k.provider_id = l.provider_id AND k.scope_game = l.round_scope
        AND k.round_id = l.round_id AND k.number = l.number
    LIMIT 1
) r
WHERE l.id < $1::uuid AND l.id >= $2::uuid AND l.kind IN ('bet', 'win') AND l.round_id IS NOT NULL
    AND ($3::text IS NULL OR r.provider_id = $3) AND ($4::text IS NULL OR r.game_id = $4)
    AND ($5::text IS NULL OR r.currency = $5) AND ($6::text IS NULL OR r.state = $6)
    AND ($7::timestamptz IS NULL OR r.opened_at >= $7) AND ($8::timestamptz IS NULL OR r.opened_at < $8)
ORDER BY l.id DESC
LIMIT $9::int8
