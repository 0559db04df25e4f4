INSERT INTO game (id, provider_id, name, category, rtp, enabled)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE
SET provider_id = excluded.provider_id, name = excluded.name, category = excluded.category, rtp = excluded.rtp,
    enabled = excluded.enabled
