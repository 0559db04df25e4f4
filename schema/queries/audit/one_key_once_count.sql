SELECT count(*) AS checked FROM ledger
