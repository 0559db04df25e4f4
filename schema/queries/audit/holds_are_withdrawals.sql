-- What is held, the fees that are, and what was sent are those of the withdrawals in these states; each hold that is over
-- ended once, with all that it held; and a payment says what its row says. (..) IS TRUE: no index is read by the kind, for
-- one player's are found by the player.
SELECT format(
    'player %s, %s %s: %s are held, the withdrawals come to %s', player_id, currency, account, coalesce(b.amount, 0),
    coalesce(w.amount, 0)
) AS breach
FROM (
    SELECT player_id, currency, account, amount
    FROM balance
    WHERE account IN ('WITHDRAWAL_HOLD', 'W_FEE_HOLD', 'PSP_TRANSIT') AND ($1::text IS NULL OR player_id = $1)
) b
FULL JOIN (
    SELECT y.player_id, y.currency, a.account, sum(a.amount) AS amount
    FROM payment y
    CROSS JOIN LATERAL (
        VALUES
            ('WITHDRAWAL_HOLD', CASE WHEN y.state IN ('requested', 'in_review', 'on_hold', 'approved') THEN y.amount ELSE 0 END),
            ('PSP_TRANSIT', CASE WHEN y.state IN ('processing', 'unknown') THEN y.amount ELSE 0 END),
            (
                'W_FEE_HOLD',
                CASE
                    WHEN y.state IN ('requested', 'in_review', 'on_hold', 'approved', 'processing', 'unknown') THEN y.fee
                    ELSE 0
                END
            )
    ) AS a (account, amount)
    WHERE (y.kind = 'withdrawal') IS TRUE AND ($1::text IS NULL OR y.player_id = $1)
    GROUP BY y.player_id, y.currency, a.account
) w USING (player_id, currency, account)
WHERE coalesce(b.amount, 0) <> coalesce(w.amount, 0)
UNION ALL
SELECT format(
    'player %s, withdrawal %s is %s: of %s and a fee of %s, %s ends let go %s', y.player_id, y.id, y.state, y.amount, y.fee,
    e.ends, e.let_go
)
FROM payment y
CROSS JOIN LATERAL (
    SELECT count(DISTINCT l.number) AS ends, -coalesce(sum(u.amount), 0) AS let_go
    FROM ledger l
    LEFT JOIN LATERAL unnest(l.accounts, l.amounts) AS u (account, amount)
        ON u.account IN ('WITHDRAWAL_HOLD', 'W_FEE_HOLD', 'PSP_TRANSIT')
    WHERE l.player_id = y.player_id AND l.provider_id = 'cashier'
        AND l.kind IN ('withdrawal_release', 'withdrawal_paid', 'withdrawal_confiscation')
        AND l.external_id = 'pay_' || replace(y.id::text, '-', '')
) e
WHERE (y.kind = 'withdrawal') IS TRUE AND ($1::text IS NULL OR y.player_id = $1)
    AND (e.ends, e.let_go) IS DISTINCT FROM CASE
        WHEN y.state IN ('requested', 'in_review', 'on_hold', 'approved', 'processing', 'unknown', 'split')
            THEN (0::bigint, 0::numeric)
        ELSE (1::bigint, y.amount::numeric + y.fee)
    END
UNION ALL
SELECT format('player %s, %s %s: its row says %s of %s, its document %s of %s', y.player_id, y.kind, y.id, y.state, y.amount, d.state, d.units)
FROM payment y
CROSS JOIN LATERAL json_to_record(y.document::json) AS d (kind text, state text, units bigint, currency text)
WHERE ($1::text IS NULL OR y.player_id = $1)
    AND (d.kind, d.state, d.units, d.currency) IS DISTINCT FROM (y.kind, y.state, y.amount, y.currency)
