-- What became of a page, under the epoch that it was read with: the position, how the endpoint does, and the
-- events that have to be tried again ($11 on, an element each).
WITH moved AS (
    UPDATE webhook
    SET lane_rows = $3, lane_events = $4, failures = $5, failing_since = $6, next_attempt_at = $7,
        last_error = coalesce($8, last_error), last_success_at = coalesce($9, last_success_at),
        enabled = $10::text IS NULL, disabled_by = $10
    WHERE id = $1 AND epoch = $2 AND enabled
    RETURNING id
),
kept AS (
    INSERT INTO webhook_message (
        webhook_id, event_id, type, player_id, body, attempts, next_attempt_at, last_error, failed_at
    )
    SELECT m.id, e.event_id, e.type, e.player_id, e.body, 1, e.next_attempt_at, e.last_error, $17
    FROM moved m
    CROSS JOIN unnest($11::uuid[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::text[])
        AS e (event_id, type, player_id, body, next_attempt_at, last_error)
    ON CONFLICT DO NOTHING
)
SELECT id FROM moved
