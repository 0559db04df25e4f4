-- How far a reader has come, and how far the lanes are; null where it has not begun.
SELECT
    r.lane_rows, (SELECT array_agg(l.seq ORDER BY l.id) FROM lane l) AS newest,
    (SELECT array_agg(t.trimmed ORDER BY t.lane) FROM lane_publisher t) AS trimmed
FROM event_reader r
WHERE r.name = $1
