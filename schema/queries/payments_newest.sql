-- Newest first, before the id $2. $1 deposit or withdrawal; $3 player, $4 state, $5 reference: null for any; $6 at most.
SELECT player_id, document
FROM payment
WHERE kind = $1::text AND id < $2::uuid
    AND ($3::text IS NULL OR player_id = $3::text)
    AND ($4::text IS NULL OR state = $4::text)
    AND ($5::text IS NULL OR reference = $5::text)
ORDER BY id DESC
LIMIT $6
