SELECT count(*) AS checked FROM balance WHERE account = 'CASH'
