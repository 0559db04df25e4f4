SELECT count(*) AS checked FROM ledger WHERE provider_wide
