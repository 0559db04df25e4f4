-- Renews $1's leases for $2 microseconds, and takes every lane whose lease ran out. Times are the database's.
WITH
free AS MATERIALIZED (
    -- In order and under lock: two nodes that claim at once neither deadlock nor both win.
    SELECT lane
    FROM lane_publisher
    WHERE owner = $1 OR lease_until <= clock_timestamp()
    ORDER BY lane
    FOR UPDATE
),
mine AS (
    UPDATE lane_publisher p
    SET epoch = p.epoch + CASE WHEN p.owner = $1 THEN 0 ELSE 1 END,
        owner = $1,
        lease_until = clock_timestamp() + $2::int8 * interval '1 microsecond'
    FROM free f
    WHERE p.lane = f.lane
    RETURNING p.lane, p.epoch, p.published, p.acknowledged, p.held
)
SELECT m.lane, m.epoch, m.published, l.seq AS newest, m.acknowledged::text AS acknowledged, m.held::text AS held
FROM mine m
JOIN lane l ON l.id = m.lane
ORDER BY m.lane
