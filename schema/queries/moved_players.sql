-- The players of some stretches of lanes ($1 their lanes, $2 their first numbers, $3 their last), with the newest
-- event of each.
SELECT o.player_id, max(o.last_seq) AS last_seq
FROM unnest($1::int2[], $2::int8[], $3::int8[]) AS g (lane, first, last)
JOIN outbox o ON o.lane = g.lane AND o.lane_seq >= g.first AND o.lane_seq <= g.last
-- What belongs to no player goes to no socket.
WHERE o.player_id <> ''
GROUP BY o.player_id
