SELECT seq, body
FROM event
WHERE player_id = $1 AND seq > $2 AND seq <= $3
ORDER BY seq
LIMIT $4
