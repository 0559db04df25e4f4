-- Newest first, of one state, before ($1, $2). $3 player, $4 state, $5 kind: null for any; $6 at most.
SELECT *
FROM approval
WHERE state = $4::text AND (created_at, id) < ($1::timestamptz, $2::uuid)
    AND ($3::text IS NULL OR player_id = $3::text)
    AND ($5::text IS NULL OR kind = $5::text)
ORDER BY created_at DESC, id DESC
LIMIT $6
