-- At most $3 decisions of a lane after a lane number. Their events stay arrays: a row for each would cost more.
SELECT r.lane_seq, r.player_id, r.ids, r.types, r.bodies
FROM outbox r
WHERE r.lane = $1 AND r.lane_seq > $2
ORDER BY r.lane_seq
LIMIT $3
