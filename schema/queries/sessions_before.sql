-- A player's sessions, newest first, below one of them. $1 player, $2 the last row of the page before or null, $3 rows
-- at most. Ids are UUIDs of version 7: their order is that of time, and the primary key has it already.
SELECT s.player_id, s.document::text AS document, s.created_at, s.address, s.user_agent
FROM session_document s
WHERE s.player_id = $1 AND s.id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
ORDER BY s.id DESC
LIMIT $3
