-- Decisions whose events are not on the bus, and those that are kept: a lane counts decisions.
SELECT
    coalesce(sum(l.seq - p.published), 0)::int8 AS events,
    coalesce((extract(epoch FROM clock_timestamp() - min(waiting.created_at)) * 1000000)::int8, 0) AS age_us,
    coalesce(sum(l.seq - p.trimmed), 0)::int8 AS kept,
    coalesce((extract(epoch FROM clock_timestamp() - min(oldest.created_at)) * 1000000)::int8, 0) AS kept_age_us
FROM lane l
JOIN lane_publisher p ON p.lane = l.id
LEFT JOIN LATERAL (
    SELECT e.created_at
    FROM outbox e
    WHERE e.lane = l.id AND e.lane_seq > p.published
    ORDER BY e.lane_seq
    LIMIT 1
) waiting ON true
LEFT JOIN LATERAL (
    SELECT e.created_at
    FROM outbox e
    WHERE e.lane = l.id AND e.lane_seq > p.trimmed
    ORDER BY e.lane_seq
    LIMIT 1
) oldest ON true
