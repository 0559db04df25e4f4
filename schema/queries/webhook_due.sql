-- Events to be tried again by now, in the order of time, at most $3; and when the next one is due.
SELECT m.event_id, m.type, m.player_id, m.body, m.attempts, m.next_attempt_at
FROM webhook_message m
WHERE m.webhook_id = $1 AND NOT m.is_dead AND m.next_attempt_at <= $2
ORDER BY m.event_id
LIMIT $3
