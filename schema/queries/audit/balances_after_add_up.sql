SELECT format(
    'player %s, transaction %s: left %s at %s %s, the postings up to there sum to %s', player_id, number, account,
    coalesce(balance_after::text, 'nothing'), currency, total
) AS breach
FROM (
    SELECT
        player_id, number, currency, account, balance_after,
        sum(amount) OVER (
            PARTITION BY player_id, currency, account ORDER BY number, line ROWS UNBOUNDED PRECEDING
        ) AS total
    FROM posting
    WHERE ($1::text IS NULL OR player_id = $1) AND (balance_after IS NOT NULL OR account IN ('CASH', 'RECEIVABLE'))
) p
WHERE balance_after IS DISTINCT FROM total
