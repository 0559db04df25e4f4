SELECT format(
    'player %s, %s %s: the balance is %s, its postings sum to %s', player_id, currency, account,
    coalesce(b.amount::text, 'missing'), coalesce(p.total, 0)
) AS breach
FROM balance b
FULL JOIN (
    SELECT player_id, currency, account, sum(amount) AS total
    FROM posting
    WHERE account IN ('CASH', 'RECEIVABLE')
    GROUP BY player_id, currency, account
) p USING (player_id, currency, account)
WHERE b.amount IS DISTINCT FROM coalesce(p.total, 0)
