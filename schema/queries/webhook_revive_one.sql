-- Makes one event due at $6, whether it waits, is dead or is new to the list.
WITH moved AS (
    UPDATE webhook SET epoch = epoch + 1 WHERE id = $1 RETURNING id
)
INSERT INTO webhook_message (
    webhook_id, event_id, type, player_id, body, attempts, next_attempt_at, last_error, failed_at
)
SELECT m.id, $2, $3, $4, $5, 0, $6, 'replayed', $6 FROM moved m
ON CONFLICT (webhook_id, event_id) DO UPDATE SET is_dead = false, attempts = 0, next_attempt_at = $6
