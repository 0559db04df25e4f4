SELECT count(*) AS checked
FROM ledger
WHERE state = 'applied' AND currency IS NOT NULL AND ($1::text IS NULL OR player_id = $1)
