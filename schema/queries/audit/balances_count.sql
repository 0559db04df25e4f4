SELECT count(*) AS checked FROM balance WHERE ($1::text IS NULL OR player_id = $1)
