SELECT count(*) AS checked FROM outbox WHERE ($1::text IS NULL OR player_id = $1)
