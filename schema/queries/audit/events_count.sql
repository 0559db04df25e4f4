SELECT coalesce(sum(cardinality(ids)), 0)::int8 AS checked FROM outbox WHERE ($1::text IS NULL OR player_id = $1)
