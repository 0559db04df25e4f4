-- Fixes the number of lanes ($1) and makes their rows; changes nothing once there is an installation.
WITH installed AS (
    INSERT INTO install (lanes) VALUES ($1::int2)
    ON CONFLICT DO NOTHING
    RETURNING lanes
),
made AS (
    INSERT INTO lane (id)
    SELECT generate_series(0, i.lanes - 1)::int2 FROM installed i
    RETURNING id
)
INSERT INTO lane_publisher (lane) SELECT id FROM made
