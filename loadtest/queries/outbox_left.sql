-- Events that are committed and not yet on the bus.
SELECT coalesce(sum(l.seq - p.published), 0)::int8
FROM lane l
JOIN lane_publisher p ON p.lane = l.id
