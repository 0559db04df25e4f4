-- A bet that goes back as a whole goes back to the accounts that it came from, and leaves nothing on any account.
-- What goes back in part, and a win that goes back, moves the amount that the reversal says, and not more than the
-- target's.
SELECT format(
    'player %s, transaction %s takes back %s %s and moves %s, of %s transaction %s of %s %s', r.player_id, r.number,
    r.amount, r.currency, m.moved, t.kind, t.number, t.amount, t.currency
) AS breach
FROM ledger r
JOIN ledger t ON t.player_id = r.player_id AND t.id = r.reverses
CROSS JOIN LATERAL (
    SELECT coalesce(sum(u.amount), 0) AS moved
    FROM unnest(r.accounts, r.amounts, r.balances_after) AS u (account, amount, balance_after)
    WHERE u.balance_after IS NOT NULL
) m
WHERE r.reverses IS NOT NULL AND ($1::text IS NULL OR r.player_id = $1)
    AND (
        (r.amount BETWEEN 0 AND t.amount) IS NOT TRUE
        OR r.currency IS DISTINCT FROM t.currency
        OR (r.provider_id, r.round_scope, r.round_id) IS DISTINCT FROM (t.provider_id, t.round_scope, t.round_id)
        OR m.moved IS DISTINCT FROM CASE t.kind WHEN 'bet' THEN r.amount WHEN 'win' THEN -r.amount END
        OR t.kind = 'bet' AND r.amount = t.amount
            AND (
                (r.reply::json ->> 'funding') IS DISTINCT FROM (t.reply::json ->> 'funding')
                OR EXISTS (
                    SELECT 1
                    FROM unnest(t.accounts || r.accounts, t.amounts::bigint[] || r.amounts::bigint[])
                        AS u (account, amount)
                    GROUP BY u.account
                    HAVING sum(u.amount) <> 0
                )
            )
    )
