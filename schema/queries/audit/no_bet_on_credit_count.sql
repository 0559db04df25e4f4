SELECT count(*) AS checked FROM ledger WHERE kind = 'bet'
