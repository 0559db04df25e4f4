SELECT count(*) AS checked FROM payment WHERE ($1::text IS NULL OR player_id = $1)
