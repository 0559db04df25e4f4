-- Newest first, before $2, at most $3.
SELECT event_id, type, player_id, body, attempts, last_error, failed_at
FROM webhook_message
WHERE webhook_id = $1 AND is_dead AND event_id < $2
ORDER BY event_id DESC
LIMIT $3
