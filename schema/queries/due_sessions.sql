-- Players with sessions whose time is over and whose end was not noted yet, the longest first. $1 now, $2 sessions at
-- most.
SELECT DISTINCT d.player_id
FROM (
    SELECT s.player_id
    FROM session s
    WHERE s.ended_at IS NULL AND s.expires_at <= $1
    ORDER BY s.expires_at
    LIMIT $2
) d
