SELECT id, provider_id, name, category, rtp, enabled, created_at FROM game WHERE id = $1
