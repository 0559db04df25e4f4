-- Payments whose time is over by $1, $2 at most.
SELECT player_id, document
FROM payment
WHERE due_at <= $1::timestamptz
ORDER BY due_at
LIMIT $2
