-- The game sessions in which a player ($1) may have played a round of a provider ($2) that was open from $3 to $4: those
-- that were live then, newest first, at most $7. Their ids, UUIDs v7, lie from $5 up to before $6.
SELECT s.id, s.game_id, s.created_at, s.expires_at, s.ended_at
FROM session s
-- An equality, told as an order that only the primary key has: by the id alone everybody's sessions would be read.
WHERE s.player_id >= $1::text AND s.player_id <= $1::text AND s.id >= $5::uuid AND s.id < $6::uuid
    AND s.kind = 'game' AND s.provider_id = $2::text
    AND s.created_at <= $4::timestamptz AND s.expires_at >= $3::timestamptz
    AND (s.ended_at IS NULL OR s.ended_at >= $3::timestamptz)
ORDER BY s.player_id DESC, s.id DESC
LIMIT $7::int8
