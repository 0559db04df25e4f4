-- Rounds of player $1, newest first, opened by his transactions from $3 up to before $2: $4 open ones, $5 ended ones;
-- then what is wanted: provider, game, currency, state, times; at most $12. As in rounds_before.sql.
SELECT r.*, NULL::uuid AS opened_by
FROM (
    (
        SELECT *
        FROM round o
        WHERE $4::bool AND o.player_id = $1::text AND o.is_open AND o.number < $2::int8 AND o.number >= $3::int8
        ORDER BY o.number DESC
    )
    UNION ALL
    (
        SELECT *
        FROM round e
        WHERE $5::bool AND e.player_id = $1::text AND NOT e.is_open AND e.number < $2::int8 AND e.number >= $3::int8
        ORDER BY e.number DESC
    )
) r
WHERE ($6::text IS NULL OR r.provider_id = $6) AND ($7::text IS NULL OR r.game_id = $7)
    AND ($8::text IS NULL OR r.currency = $8) AND ($9::text IS NULL OR r.state = $9)
    AND ($10::timestamptz IS NULL OR r.opened_at >= $10) AND ($11::timestamptz IS NULL OR r.opened_at < $11)
ORDER BY r.number DESC
LIMIT $12::int8
