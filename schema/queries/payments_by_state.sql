-- As payments_newest.sql, in one state.
SELECT player_id, document
FROM payment
WHERE kind = $1::text AND state = $4::text AND id < $2::uuid
    AND ($3::text IS NULL OR player_id = $3::text)
    AND ($5::text IS NULL OR reference = $5::text)
ORDER BY id DESC
LIMIT $6
