-- Counts a failed login. $1 player, $2 now, $3 seconds that a failure counts, $4 failures that lock, $5 seconds that
-- a lock lasts. Answers nothing while the logins are locked: then failures are not counted.
INSERT INTO login_failure AS f (player_id, failures, locked_until)
VALUES (
    $1, ARRAY[$2::timestamptz],
    CASE WHEN $4::int8 <= 1 THEN $2::timestamptz + $5::int8 * interval '1 second' END)
ON CONFLICT (player_id) DO UPDATE
SET (failures, locked_until) = (
    SELECT
        CASE WHEN count(*) + 1 < $4 THEN array_agg(t) FILTER (WHERE t IS NOT NULL) || $2::timestamptz ELSE '{}' END,
        CASE WHEN count(*) + 1 >= $4 THEN $2::timestamptz + $5::int8 * interval '1 second' END
    FROM unnest(f.failures) t
    WHERE t > $2::timestamptz - $3::int8 * interval '1 second'
)
WHERE f.locked_until IS NULL OR f.locked_until <= $2
RETURNING f.locked_until
