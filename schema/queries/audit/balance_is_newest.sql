SELECT format(
    'player %s, %s %s: the balance is %s, posting %s/%s left %s', b.player_id, b.currency, b.account, b.amount,
    p.number, p.line, p.balance_after
) AS breach
FROM balance b
JOIN (
    SELECT DISTINCT ON (player_id, currency, account)
        player_id, currency, account, number, line, balance_after
    FROM posting
    WHERE account IN ('CASH', 'RECEIVABLE')
    ORDER BY player_id, currency, account, number DESC, line DESC
) p USING (player_id, currency, account)
WHERE b.amount IS DISTINCT FROM p.balance_after
