-- Newest first, before ($2, $3) and not before $4, if given: of the first $5 rows there, those that are asked for, at most $6. With
-- the last row that was looked at, and how many there were: a page of few or none may have more behind it.
WITH looked_at AS MATERIALIZED (
    SELECT
        number, received_at, outcome, action, kind, player_id, round_id, transactions, signature, status, took_us, address,
        request_id
    FROM callback_log
    WHERE provider_id = $1
        AND (received_at, number) < (coalesce($2::timestamptz, 'infinity'), $3::int8)
        AND received_at >= coalesce($4::timestamptz, '-infinity')
    ORDER BY received_at DESC, number DESC
    LIMIT $5
),
last AS (
    SELECT received_at, number, (SELECT count(*) FROM looked_at) AS count
    FROM looked_at
    ORDER BY received_at, number
    LIMIT 1
)
SELECT l.received_at AS last_at, l.number AS last_number, l.count, f.*
FROM last l
LEFT JOIN LATERAL (
    SELECT *
    FROM looked_at r
    WHERE ($7::text IS NULL OR r.outcome = $7)
        AND ($8::text IS NULL OR r.action = $8)
        AND ($9::text IS NULL OR r.player_id = $9)
        AND ($10::text IS NULL OR $10 = ANY (r.transactions))
        AND (NOT $11::boolean OR r.outcome <> 'ok')
    ORDER BY r.received_at DESC, r.number DESC
    LIMIT $6
) f ON true
ORDER BY f.received_at DESC, f.number DESC
