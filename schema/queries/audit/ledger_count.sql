SELECT count(*) AS checked FROM ledger WHERE ($1::text IS NULL OR player_id = $1)
