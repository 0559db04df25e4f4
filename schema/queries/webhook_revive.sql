-- Makes the oldest dead letters due at $2, as many as $3 leaves room for beside those that wait already.
WITH room AS (
    SELECT greatest($3 - count(*), 0) AS count FROM webhook_message WHERE webhook_id = $1 AND NOT is_dead
),
again AS (
    SELECT event_id
    FROM webhook_message
    WHERE webhook_id = $1 AND is_dead
    ORDER BY event_id
    LIMIT (SELECT count FROM room)
),
moved AS (
    UPDATE webhook SET epoch = epoch + 1 WHERE id = $1
)
UPDATE webhook_message m
SET is_dead = false, attempts = 0, next_attempt_at = $2
FROM again a
WHERE m.webhook_id = $1 AND m.event_id = a.event_id
