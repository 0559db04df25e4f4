INSERT INTO player (id, lane, country) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
