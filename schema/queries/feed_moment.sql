-- For each lane the time of its first kept row from the number in $1 on (an element per lane, from lane 0).
SELECT (
    SELECT o.created_at FROM outbox o WHERE o.lane = l.id AND o.lane_seq >= ($1::int8[])[l.id + 1]
    ORDER BY o.lane_seq LIMIT 1
) AS at
FROM lane l
ORDER BY l.id
