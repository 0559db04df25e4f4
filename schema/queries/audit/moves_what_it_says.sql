-- A void moves what its round's entries make of it, a reversal what its target does: see there.
SELECT format('player %s, transaction %s: a %s of %s %s moves %s', player_id, number, kind, amount, currency, moved)
    AS breach
FROM (
    SELECT
        l.player_id, l.number, l.kind, l.amount, l.currency, coalesce(p.moved, 0) AS moved,
        CASE
            WHEN l.kind IN ('bet', 'withdrawal', 'deposit_reversal') THEN -l.amount
            -- An adjustment's amount has the sign of what it does to the player.
            WHEN l.kind IN ('win', 'deposit', 'adjustment', 'withdrawal_release', 'withdrawal_return') THEN l.amount
            WHEN l.kind IN (
                'close_round', 'deposit_request', 'withdrawal_payout', 'withdrawal_paid', 'withdrawal_confiscation'
            ) OR l.kind = 'rollback' AND l.reverses IS NULL THEN 0
        END AS says
    FROM ledger l
    CROSS JOIN LATERAL (
        SELECT sum(u.amount) AS moved
        FROM unnest(l.accounts, l.amounts, l.balances_after) AS u (account, amount, balance_after)
        -- What is held for withdrawals has a check of its own: see holds_are_withdrawals.sql.
        WHERE u.balance_after IS NOT NULL AND u.account NOT IN ('WITHDRAWAL_HOLD', 'W_FEE_HOLD', 'PSP_TRANSIT')
    ) p
    WHERE l.state = 'applied' AND ($1::text IS NULL OR l.player_id = $1)
) t
WHERE moved <> says
