SELECT lane_seq, id, player_id, type, body
FROM event
WHERE lane = $1 AND lane_seq > $2
ORDER BY lane_seq
LIMIT $3
