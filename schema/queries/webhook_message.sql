SELECT event_id, type, player_id, body, attempts, last_error, failed_at
FROM webhook_message
WHERE webhook_id = $1 AND event_id = $2
