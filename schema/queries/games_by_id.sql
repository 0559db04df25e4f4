SELECT document, created_at, updated_at FROM game_document WHERE id = ANY ($1::text[])
