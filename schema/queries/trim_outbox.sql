-- Deletes decisions from the lanes that $1 holds, oldest first and at most $4 of a lane: those on the bus and older
-- than $2 microseconds, or than $3 where a reader has not come that far.
WITH
mine AS MATERIALIZED (
    SELECT
        p.lane, p.trimmed, p.published,
        least(p.published, (SELECT min(r.position) FROM outbox_reader r WHERE r.lane = p.lane)) AS done
    FROM lane_publisher p
    WHERE p.owner = $1 AND p.lease_until > clock_timestamp()
        -- A look costs next to nothing where there is nothing to do.
        AND (
            SELECT r.created_at
            FROM outbox r
            WHERE r.lane = p.lane AND r.lane_seq > p.trimmed
            ORDER BY r.lane_seq
            LIMIT 1
        ) < clock_timestamp() - $2::int8 * interval '1 microsecond'
    ORDER BY p.lane
    FOR UPDATE
),
-- Up to the first that has to stay: what is kept of a lane has no hole.
seen AS MATERIALIZED (
    SELECT
        m.lane, o.lane_seq, o.events,
        bool_and(
            o.lane_seq <= m.published
            AND o.created_at < clock_timestamp()
                - CASE WHEN o.lane_seq <= m.done THEN $2::int8 ELSE $3::int8 END * interval '1 microsecond'
        ) OVER (PARTITION BY m.lane ORDER BY o.lane_seq) AS goes
    FROM mine m
    CROSS JOIN LATERAL (
        SELECT r.lane_seq, r.created_at, cardinality(r.ids) AS events
        FROM outbox r
        WHERE r.lane = m.lane AND r.lane_seq > m.trimmed
        ORDER BY r.lane_seq
        LIMIT $4
    ) o
),
step AS MATERIALIZED (
    SELECT lane, max(lane_seq) AS up_to, sum(events) AS events, count(*) AS decisions
    FROM seen
    WHERE goes
    GROUP BY lane
),
gone AS (
    DELETE FROM outbox o USING step s WHERE o.lane = s.lane AND o.lane_seq <= s.up_to
),
forgotten AS (
    DELETE FROM bus_savepoint b USING step s WHERE b.lane = s.lane AND b.published < s.up_to
),
moved AS (
    UPDATE lane_publisher p
    SET trimmed = s.up_to, trimmed_events = p.trimmed_events + s.events
    FROM step s
    WHERE p.lane = s.lane
)
SELECT coalesce(sum(decisions), 0)::int8 AS decisions, coalesce(max(decisions) = $4, false) AS more
FROM step
