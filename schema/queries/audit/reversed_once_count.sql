SELECT count(*) AS checked FROM ledger WHERE reverses IS NOT NULL
