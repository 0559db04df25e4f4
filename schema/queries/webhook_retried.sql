-- What became of events that were tried again, under the epoch that they were read with: those in $3 are
-- delivered, those in $4 (an element each, like $5 to $7) are not.
WITH owned AS MATERIALIZED (
    SELECT id FROM webhook WHERE id = $1 AND epoch = $2 FOR UPDATE
),
delivered AS (
    DELETE FROM webhook_message m USING owned o WHERE m.webhook_id = o.id AND m.event_id = ANY ($3::uuid[])
),
failed AS (
    UPDATE webhook_message m
    SET attempts = m.attempts + 1, is_dead = e.is_dead, next_attempt_at = e.next_attempt_at,
        last_error = e.last_error, failed_at = $8
    FROM owned o
    CROSS JOIN unnest($4::uuid[], $5::boolean[], $6::timestamptz[], $7::text[])
        AS e (event_id, is_dead, next_attempt_at, last_error)
    WHERE m.webhook_id = o.id AND m.event_id = e.event_id
)
SELECT id FROM owned
