-- For each lane, after its number in $1 (an element per lane, from lane 0), at most $2 rows; and a row without a
-- number for each lane, with its newest committed number. One statement, so of one moment: a lane's numbers
-- up to `newest` are all committed, and all of them that are kept are seen.
SELECT l.id AS lane, l.seq AS newest, o.lane_seq, o.player_id, o.created_at, o.ids, o.types, o.bodies
FROM lane l
LEFT JOIN LATERAL (
    SELECT r.lane_seq, r.player_id, r.created_at, r.ids, r.types, r.bodies
    FROM outbox r
    WHERE r.lane = l.id AND r.lane_seq > ($1::int8[])[l.id + 1]
    ORDER BY r.lane_seq
    LIMIT $2
) o ON true
ORDER BY l.id, o.lane_seq
