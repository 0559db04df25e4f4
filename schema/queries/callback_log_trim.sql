-- Deletes what an account has from before $2, and beyond its newest $3; oldest first, at most $4 at once.
WITH old AS (
    SELECT number
    FROM callback_log
    WHERE provider_id = $1
        AND received_at <= greatest($2::timestamptz, (
            SELECT received_at
            FROM callback_log
            WHERE provider_id = $1
            ORDER BY received_at DESC, number DESC
            OFFSET $3
            LIMIT 1
        ))
    ORDER BY received_at, number
    LIMIT $4
)
DELETE FROM callback_log c USING old o WHERE c.number = o.number
