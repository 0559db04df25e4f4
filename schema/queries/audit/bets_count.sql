SELECT count(*) AS checked FROM ledger WHERE kind = 'bet' AND ($1::text IS NULL OR player_id = $1)
