-- A payment, whose it is, and where it stands. $1 deposit or withdrawal, $2 its id: an equality, told as an order that only
-- one index has. For `=` the planner would take, on an empty table, any index that begins with the kind.
SELECT player_id, document
FROM payment
WHERE kind = $1::text AND id >= $2::uuid AND id <= $2::uuid
ORDER BY id
LIMIT 1
