-- A player's rounds, newest first: $2 open ones, $3 ended ones, opened before number $4, at most $5.
-- Two index scans, so that a player's open rounds need no index of their own.
SELECT * FROM (
    (
        SELECT * FROM round r
        WHERE $2::bool AND r.player_id = $1::text AND r.is_open AND r.number < $4::int8
        ORDER BY r.number DESC
        LIMIT $5::int8
    )
    UNION ALL
    (
        SELECT * FROM round r
        WHERE $3::bool AND r.player_id = $1::text AND NOT r.is_open AND r.number < $4::int8
        ORDER BY r.number DESC
        LIMIT $5::int8
    )
) r
ORDER BY r.number DESC
LIMIT $5::int8
