SELECT count(*) AS checked FROM player WHERE ($1::text IS NULL OR id = $1)
