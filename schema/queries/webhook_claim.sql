-- Renews $1's leases for $2 microseconds, and takes every enabled endpoint whose lease ran out. Times are the
-- database's.
WITH
free AS MATERIALIZED (
    SELECT id
    FROM webhook
    WHERE enabled AND (owner = $1 OR lease_until <= clock_timestamp())
    ORDER BY id
    FOR UPDATE
),
mine AS (
    UPDATE webhook w
    SET epoch = w.epoch + CASE WHEN w.owner = $1 THEN 0 ELSE 1 END,
        owner = $1,
        lease_until = clock_timestamp() + $2::int8 * interval '1 microsecond'
    FROM free f
    WHERE w.id = f.id
    RETURNING w.*
)
SELECT
    w.*,
    (SELECT count(*) FROM webhook_message m WHERE m.webhook_id = w.id AND NOT m.is_dead) AS waiting,
    (SELECT count(*) FROM webhook_message m WHERE m.webhook_id = w.id AND m.is_dead) AS dead
FROM mine w
ORDER BY w.id
