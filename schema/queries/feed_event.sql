-- The event $1, among the rows of each lane after its number in $2 up to its number in $3. OFFSET 0 keeps the lanes
-- outside: joined the other way round, on an empty table, it would read the whole outbox.
SELECT e.id, e.type, o.player_id, o.last_seq - cardinality(o.ids) + e.position AS seq, e.body
FROM lane l
CROSS JOIN LATERAL (
    SELECT r.player_id, r.last_seq, r.ids, r.types, r.bodies
    FROM outbox r
    WHERE r.lane = l.id AND r.lane_seq > ($2::int8[])[l.id + 1] AND r.lane_seq <= ($3::int8[])[l.id + 1]
        AND $1::uuid = ANY (r.ids)
    OFFSET 0
) o
CROSS JOIN LATERAL unnest(o.ids, o.types, o.bodies) WITH ORDINALITY AS e (id, type, body, position)
WHERE e.id = $1
