-- A posting that tells what it left belongs to an account of the player.
SELECT format(
    'player %s, %s %s: the balance is %s, its postings sum to %s', player_id, currency, account,
    coalesce(b.amount::text, 'missing'), coalesce(p.total, 0)
) AS breach
FROM (SELECT * FROM balance WHERE ($1::text IS NULL OR player_id = $1)) b
FULL JOIN (
    SELECT player_id, currency, account, sum(amount) AS total
    FROM posting
    WHERE ($1::text IS NULL OR player_id = $1) AND (balance_after IS NOT NULL OR account IN ('CASH', 'RECEIVABLE'))
    GROUP BY player_id, currency, account
) p USING (player_id, currency, account)
WHERE b.amount IS DISTINCT FROM coalesce(p.total, 0)
