SELECT min(next_attempt_at) AS at, count(*) AS waiting FROM webhook_message WHERE webhook_id = $1 AND NOT is_dead
