-- What the outbox has of the types $2, after the number of each lane in $1 (an element per lane, from lane 0) and up to $3
-- rows of each; and how far each lane was read, in a row without an event where there was none. One statement, so of one
-- moment: a lane's numbers up to its newest are all committed, and all of them that are kept are seen.
SELECT l.id AS lane, t.trimmed, p.up_to, l.seq AS newest, o.id AS event_id, o.type, o.player_id, o.created_at, o.body
FROM lane l
JOIN lane_publisher t ON t.lane = l.id
CROSS JOIN LATERAL (
    SELECT least(l.seq, greatest(t.trimmed, ($1::int8[])[l.id + 1]) + $3) AS up_to
) p
LEFT JOIN LATERAL (
    SELECT r.lane_seq, e.id, e.type, r.player_id, r.created_at, e.body
    FROM outbox r
    CROSS JOIN LATERAL unnest(r.ids, r.types, r.bodies) AS e (id, type, body)
    WHERE r.lane = l.id AND r.lane_seq > ($1::int8[])[l.id + 1] AND r.lane_seq <= p.up_to
        AND r.types && $2::text[] AND e.type = ANY ($2::text[])
) o ON true
ORDER BY l.id, o.lane_seq
