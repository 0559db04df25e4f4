-- A void moves what its round's entries make of it, a reversal what its target does: see there.
SELECT format('player %s, transaction %s: a %s of %s %s moves %s', player_id, number, kind, amount, currency, moved)
    AS breach
FROM (
    SELECT
        l.player_id, l.number, l.kind, l.amount, l.currency, coalesce(p.moved, 0) AS moved,
        CASE
            WHEN l.kind = 'bet' THEN -l.amount
            -- An adjustment's amount has the sign of what it does to the player.
            WHEN l.kind IN ('win', 'deposit', 'adjustment') THEN l.amount
            WHEN l.kind = 'close_round' OR l.kind = 'rollback' AND l.reverses IS NULL THEN 0
        END AS says
    FROM ledger l
    CROSS JOIN LATERAL (
        SELECT sum(u.amount) AS moved
        FROM unnest(l.accounts, l.amounts, l.balances_after) AS u (account, amount, balance_after)
        WHERE u.balance_after IS NOT NULL
    ) p
    WHERE l.state = 'applied' AND ($1::text IS NULL OR l.player_id = $1)
) t
WHERE moved <> says
