-- Newest first, of one country, before ($1, $2). $3 status, $4 country, $5 test accounts or others: null for any; created from $6 to before
-- $7; ids from $8 to before $9; $10 at most.
SELECT p.id, p.lane, p.status, p.country, p.test, p.created_at, f.language, coalesce(f.labels, '{}') AS labels
FROM player p
LEFT JOIN player_profile f ON f.player_id = p.id
WHERE
    p.country = $4::text AND
    (p.created_at, p.id) < ($1::timestamptz, $2::text COLLATE "C")
    AND p.created_at >= $6::timestamptz AND p.created_at < $7::timestamptz
    AND p.id >= $8::text COLLATE "C" AND p.id < $9::text COLLATE "C"
    AND ($3::text IS NULL OR p.status = $3::text)
    AND ($5::bool IS NULL OR p.test = $5::bool)
ORDER BY p.created_at DESC, p.id DESC
LIMIT $10
