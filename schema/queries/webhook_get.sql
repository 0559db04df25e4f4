SELECT
    w.id, w.key_id, w.url, w.description, w.types, w.secret, w.old_secret, w.old_secret_until, w.enabled, w.disabled_by,
    w.lane_rows, w.lane_events, w.failures, w.failing_since, w.next_attempt_at, w.last_error, w.last_success_at, w.epoch,
    w.created_at,
    (SELECT count(*) FROM webhook_message m WHERE m.webhook_id = w.id AND NOT m.is_dead) AS waiting,
    (SELECT count(*) FROM webhook_message m WHERE m.webhook_id = w.id AND m.is_dead) AS dead
FROM webhook w
WHERE w.id = $1
