-- A payment, whose it is, and where it stands. $1 deposit or withdrawal, $2 its id.
SELECT player_id, document
FROM payment
WHERE kind = $1::text AND id = $2::uuid
