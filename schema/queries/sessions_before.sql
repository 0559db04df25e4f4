-- A player's sessions, newest first, below a place. $1 player, $2 and $3 the last row of the page before or nulls,
-- $4 rows at most.
SELECT s.player_id, s.document::text AS document, s.created_at, s.address, s.user_agent
FROM session_document s
WHERE s.player_id = $1
    AND (s.created_at, s.id) < (
        coalesce($2::timestamptz, 'infinity'), coalesce($3::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY s.created_at DESC, s.id DESC
LIMIT $4
