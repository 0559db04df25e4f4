UPDATE game_block SET removed_at = $3
WHERE player_id = $1 AND id = $2 AND removed_at IS NULL
RETURNING id
