SELECT count(*) AS checked FROM ledger WHERE reverses IS NOT NULL AND ($1::text IS NULL OR player_id = $1)
