SELECT format('player %s: %s is %s %s', player_id, account, amount, currency) AS breach
FROM balance
WHERE amount < 0 AND account <> 'RECEIVABLE' AND ($1::text IS NULL OR player_id = $1)
UNION ALL
SELECT format('player %s, transaction %s: left %s at %s %s', player_id, number, account, balance_after, currency)
FROM posting
WHERE balance_after < 0 AND account <> 'RECEIVABLE' AND ($1::text IS NULL OR player_id = $1)
