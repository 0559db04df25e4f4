SELECT count(*) AS checked FROM balance
