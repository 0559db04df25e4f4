-- $1 id, $2 kind, $3 state, $4 player, $5 payload, $6 key and $7 person of the maker, $8 now, $9 the end of waiting,
-- $10 through whose hands the maker's key went.
INSERT INTO approval (id, kind, state, player_id, payload, maker_key, maker, maker_hands, created_at, expires_at, decided_at)
VALUES (
    $1, $2, $3::text, $4, $5, $6, $7, $10, $8::timestamptz, $9,
    CASE WHEN $3::text <> 'pending' THEN $8::timestamptz END
)
ON CONFLICT (id) DO NOTHING
RETURNING *
