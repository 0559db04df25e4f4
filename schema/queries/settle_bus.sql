-- Compares the streams as they were found ($1 families, $2 when each was made, $3 its newest number) with what they
-- acknowledged, and sets every lane back to where each stream that lost something still holds all. The epochs are
-- raised: whoever is publishing may have had acknowledgements of what is lost. To be run behind lock_lanes.sql.
WITH
found AS (
    SELECT f.family, coalesce(f.made_at, '') AS made_at, f.newest
    FROM unnest($1::text[], $2::text[], $3::int8[]) AS f (family, made_at, newest)
),
-- `whole`: the number up to which the stream has everything. Null: it lost nothing.
stream AS MATERIALIZED (
    SELECT
        f.family, f.newest, k.family IS NULL AS is_unknown,
        CASE
            -- The first look at this bus: if it is all empty, it lacks what was ever published.
            WHEN k.family IS NULL THEN CASE WHEN (SELECT max(newest) FROM found) = 0 THEN 0 END
            WHEN k.made_at <> f.made_at THEN 0
            WHEN f.newest < (SELECT max((p.acknowledged ->> f.family)::int8) FROM lane_publisher p) THEN f.newest
        END AS whole
    FROM found f
    LEFT JOIN bus_stream k ON k.family = f.family
),
-- For each lane and stream: the stream holds everything up to this lane number.
place AS MATERIALIZED (
    SELECT
        p.lane, p.published, s.family,
        CASE
            WHEN s.whole IS NULL OR (NOT s.is_unknown AND n.acknowledged <= s.whole)
                THEN greatest(p.published, n.held)
            ELSE greatest(p.trimmed, (
                SELECT max(b.published)
                FROM bus_savepoint b
                WHERE b.lane = p.lane AND coalesce((b.acknowledged ->> s.family)::int8, 0) <= s.whole
            ))
        END AS held,
        CASE
            WHEN s.is_unknown AND s.whole IS NULL AND p.published > 0 THEN s.newest
            ELSE least(n.acknowledged, s.whole)
        END AS acknowledged
    FROM lane_publisher p
    CROSS JOIN stream s
    CROSS JOIN LATERAL (
        SELECT
            coalesce((p.acknowledged ->> s.family)::int8, 0) AS acknowledged,
            coalesce((p.held ->> s.family)::int8, 0) AS held
    ) n
),
back AS (
    SELECT
        lane, min(published) AS published, least(min(published), min(held)) AS back_to,
        jsonb_object_agg(family, held) AS held, jsonb_object_agg(family, acknowledged) AS acknowledged
    FROM place
    GROUP BY lane
),
moved AS (
    UPDATE lane_publisher p
    SET published = b.back_to, held = b.held, acknowledged = b.acknowledged, epoch = p.epoch + 1
    FROM back b
    WHERE p.lane = b.lane AND EXISTS (SELECT FROM stream WHERE is_unknown OR whole IS NOT NULL)
    RETURNING b.published - b.back_to AS set_back
),
-- The numbers behind `whole` will be given again.
forgotten AS (
    DELETE FROM bus_savepoint b
    USING stream s
    WHERE coalesce((b.acknowledged ->> s.family)::int8, 0) > s.whole
),
known AS (
    INSERT INTO bus_stream AS k (family, made_at)
    SELECT f.family, f.made_at FROM found f
    ON CONFLICT (family) DO UPDATE SET made_at = excluded.made_at WHERE k.made_at <> excluded.made_at
)
SELECT
    ARRAY(SELECT family FROM stream WHERE whole IS NOT NULL ORDER BY family) AS lost,
    coalesce((SELECT sum(set_back) FROM moved), 0)::int8 AS set_back
