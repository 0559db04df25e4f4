-- As payments_newest.sql, under one id of the operator's: one, and its parts.
SELECT player_id, document
FROM payment
WHERE kind = $1::text AND reference = $5::text AND id < $2::uuid
    AND ($3::text IS NULL OR player_id = $3::text)
    AND ($4::text IS NULL OR state = $4::text)
ORDER BY id DESC
LIMIT $6
