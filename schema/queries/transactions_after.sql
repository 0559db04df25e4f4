SELECT *
FROM shown_transaction l
WHERE l.player_id = $1 AND l.number > $2
ORDER BY l.number
LIMIT $3
