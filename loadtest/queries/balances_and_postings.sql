-- Every balance of the load test's players beside the sum of its postings. A full join: a balance without
-- postings is as wrong as postings without a balance. House postings have no balance after them.
SELECT player_id, currency, account, b.amount AS balance, p.amount AS posted
FROM (
    SELECT player_id, currency, account, amount FROM balance WHERE starts_with(player_id, 'load-')
) b
FULL JOIN (
    SELECT player_id, currency, account, sum(amount)::int8 AS amount
    FROM posting
    WHERE starts_with(player_id, 'load-') AND balance_after IS NOT NULL
    GROUP BY player_id, currency, account
) p USING (player_id, currency, account)
