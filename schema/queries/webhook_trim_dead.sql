-- Keeps the newest $2 dead letters of an endpoint.
DELETE FROM webhook_message
WHERE webhook_id = $1 AND is_dead AND event_id <= (
    SELECT m.event_id FROM webhook_message m WHERE m.webhook_id = $1 AND m.is_dead
    ORDER BY m.event_id DESC OFFSET $2 LIMIT 1
)
