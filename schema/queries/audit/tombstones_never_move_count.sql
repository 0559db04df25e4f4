SELECT count(*) AS checked FROM ledger WHERE state <> 'applied'
