SELECT coalesce(sum(cardinality(accounts)), 0)::int8 AS checked
FROM ledger
WHERE ($1::text IS NULL OR player_id = $1)
