-- In the order of their ids, above $2. Everything else as in `players_by_creation.sql`; $1 is not used.
SELECT p.id, p.lane, p.status, p.country, p.test, p.created_at, f.language, coalesce(f.labels, '{}') AS labels
FROM player p
LEFT JOIN player_profile f ON f.player_id = p.id
WHERE
    p.id > $2::text COLLATE "C" AND p.id >= $8::text COLLATE "C" AND p.id < $9::text COLLATE "C"
    AND $1::timestamptz IS NOT NULL
    -- Not by the index of this column, which is not in the order of the ids.
    AND (p.created_at >= $6::timestamptz AND p.created_at < $7::timestamptz) IS TRUE
    AND ($3::text IS NULL OR p.status = $3::text)
    AND ($4::text IS NULL OR p.country = $4::text)
    AND ($5::bool IS NULL OR p.test = $5::bool)
ORDER BY p.id
LIMIT $10
