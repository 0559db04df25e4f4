SELECT count(*) AS checked FROM ledger WHERE provider_wide AND ($1::text IS NULL OR player_id = $1)
