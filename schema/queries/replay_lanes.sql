-- Sets every lane back by hand, to its first event that is not older than $1 (null: to the oldest that is kept), and
-- fences whoever is publishing. To be run behind lock_lanes.sql.
WITH
back AS MATERIALIZED (
    SELECT p.lane, p.published, greatest(p.trimmed, least(p.published, coalesce(o.first - 1, p.published))) AS back_to
    FROM lane_publisher p
    LEFT JOIN LATERAL (
        SELECT min(r.lane_seq) AS first
        FROM outbox r
        WHERE r.lane = p.lane AND ($1::timestamptz IS NULL OR r.created_at >= $1)
    ) o ON true
),
moved AS (
    UPDATE lane_publisher p
    SET published = b.back_to, epoch = p.epoch + 1,
        -- Nothing behind it counts as held any more.
        held = (SELECT coalesce(jsonb_object_agg(h.key, least(h.value::int8, b.back_to)), '{}') FROM jsonb_each_text(p.held) h)
    FROM back b
    WHERE p.lane = b.lane
    RETURNING b.published - b.back_to AS set_back, p.owner IS NOT NULL AND p.lease_until > clock_timestamp() AS is_held
)
SELECT coalesce(sum(set_back), 0)::int8 AS set_back, coalesce(bool_or(is_held), false) AS is_served
FROM moved
