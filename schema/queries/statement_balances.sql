-- A player's accounts in currency $2 right before his transaction $3. What he never had has no row.
SELECT b.account, l.left_there
FROM balance b
CROSS JOIN LATERAL (
    -- A transaction may post to an account more than once: the last one counts.
    SELECT r.balances_after[(
        SELECT max(i) FROM generate_subscripts(r.accounts, 1) i WHERE r.accounts[i] = b.account
    )] AS left_there
    FROM ledger r
    WHERE r.player_id = b.player_id AND r.number < $3 AND r.currency = b.currency AND b.account = ANY (r.accounts)
    ORDER BY r.number DESC
    LIMIT 1
) l
WHERE b.player_id = $1 AND b.currency = $2 AND b.account <> 'RECEIVABLE'
UNION ALL
SELECT b.account, l.left_there
FROM balance b
CROSS JOIN LATERAL (
    SELECT r.balances_after[(
        SELECT max(i) FROM generate_subscripts(r.accounts, 1) i WHERE r.accounts[i] = b.account
    )] AS left_there
    FROM ledger r
    -- By the index of debts.
    WHERE r.player_id = b.player_id AND r.number < $3 AND r.currency = b.currency AND 'RECEIVABLE' = ANY (r.accounts)
    ORDER BY r.number DESC
    LIMIT 1
) l
WHERE b.player_id = $1 AND b.currency = $2 AND b.account = 'RECEIVABLE'
