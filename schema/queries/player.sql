SELECT p.id, p.lane, p.status, p.country, p.test, p.created_at, f.language, coalesce(f.labels, '{}') AS labels
FROM player p
LEFT JOIN player_profile f ON f.player_id = p.id
WHERE p.id = $1
