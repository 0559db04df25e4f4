-- Puts a collection in, or in the place of the one of its id, unless there are as many as allowed.
-- $1 id, $2 document, $3 now, $4 how many.
INSERT INTO game_collection (id, document, created_at, updated_at)
SELECT $1::text, $2::text, $3::timestamptz, $3::timestamptz
WHERE (SELECT count(*) FROM game_collection c WHERE c.id <> $1) < $4::int8
ON CONFLICT (id) DO UPDATE SET document = excluded.document, updated_at = excluded.updated_at
RETURNING document, created_at, updated_at, created_at = updated_at AS is_new
