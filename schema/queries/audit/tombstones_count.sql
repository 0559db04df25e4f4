SELECT count(*) AS checked FROM ledger WHERE state <> 'applied' AND ($1::text IS NULL OR player_id = $1)
