SELECT document, created_at, updated_at FROM game_collection ORDER BY id
