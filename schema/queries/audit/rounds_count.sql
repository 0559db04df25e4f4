SELECT count(*) AS checked FROM round WHERE ($1::text IS NULL OR player_id = $1)
