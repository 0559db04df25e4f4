DELETE FROM game_collection WHERE id = $1 RETURNING id
