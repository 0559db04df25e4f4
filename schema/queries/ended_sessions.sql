-- Which of these sessions ($2, of the players $1) are over at $3.
SELECT s.id
FROM unnest($1::text[], $2::uuid[]) AS g (player_id, id)
JOIN session s ON s.player_id = g.player_id COLLATE "C" AND s.id = g.id
WHERE s.ended_at IS NOT NULL OR s.expires_at <= $3
