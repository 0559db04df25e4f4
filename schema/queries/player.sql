SELECT id, lane, status, country, created_at FROM player WHERE id = $1
