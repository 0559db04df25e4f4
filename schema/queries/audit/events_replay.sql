-- Whoever follows `wallet.*` alone, and only adds, arrives at the balances. $2 currency codes, $3 their ledger
-- digits: events tell amounts in decimal text, the ledger keeps units. A balance that no event tells is a breach
-- only where nothing was trimmed of his lane.
SELECT format(
    'player %s, event %s: %s tells %s %s; %s were told before; the ledger has %s units', coalesce(e.player_id, b.player_id),
    coalesce(e.seq::text, 'none'), e.type, e.cash, coalesce(e.currency, b.currency), e.before,
    coalesce(b.amount::text, CASE WHEN e.newest IS NULL THEN 'later' ELSE 'no' END)
) AS breach
FROM (
    SELECT
        t.*,
        lag(t.cash) OVER in_order AS before,
        CASE WHEN lead(t.seq) OVER in_order IS NULL THEN t.currency END AS newest
    FROM (
        SELECT
            v.player_id, v.seq, v.type, d.balance ->> 'currency' AS currency, (d.balance ->> 'cash')::numeric AS cash,
            coalesce((d.funding ->> 'cash')::numeric, d.amount) AS moved, d.direction
        FROM event v
        CROSS JOIN LATERAL json_to_record(v.body::json -> 'data') AS d (amount numeric, funding json, balance json, direction text)
        WHERE v.type LIKE 'wallet.%' AND ($1::text IS NULL OR v.player_id = $1)
    ) t
    WHERE t.cash IS NOT NULL
    WINDOW in_order AS (PARTITION BY t.player_id, t.currency ORDER BY t.seq)
) e
FULL JOIN (SELECT * FROM balance WHERE account = 'CASH' AND ($1::text IS NULL OR player_id = $1)) b
    ON b.player_id = e.player_id AND b.currency = e.newest
LEFT JOIN unnest($2::text[], $3::int4[]) AS c (code, digits) ON c.code = coalesce(e.currency, b.currency)
WHERE
    CASE
        WHEN e.player_id IS NULL THEN 0 = (
            SELECT t.trimmed
            FROM player p
            JOIN lane_publisher t ON t.lane = p.lane
            WHERE p.id = b.player_id
        )
        ELSE e.cash <> e.before + CASE
                WHEN e.type IN (
                    'wallet.deposit_completed', 'wallet.win_credited', 'wallet.bet_rolled_back', 'wallet.hold_released',
                    'wallet.withdrawal_returned'
                ) THEN e.moved
                WHEN e.type = 'wallet.adjusted' AND e.direction = 'credit' THEN e.moved
                WHEN e.type IN ('wallet.bet_debited', 'wallet.hold_placed') THEN -e.moved
                -- What the player no longer has, he owes.
                WHEN e.type IN ('wallet.win_rolled_back', 'wallet.adjusted', 'wallet.deposit_reversed') THEN -least(e.moved, e.before)
                WHEN e.type IN ('wallet.negative_balance', 'wallet.hold_captured') THEN 0
            END
            OR (e.newest IS NOT NULL AND b.amount IS DISTINCT FROM e.cash * 10::numeric ^ c.digits)
    END
UNION ALL
SELECT format(
    'player %s: he owes %s %s by his newest event that tells it, RECEIVABLE has %s units', player_id, coalesce(e.owed, 0),
    currency, coalesce(b.amount, 0)
)
FROM (
    SELECT DISTINCT ON (v.player_id, d.currency) v.player_id, d.currency, d.owed
    FROM event v
    CROSS JOIN LATERAL json_to_record(v.body::json -> 'data') AS d (currency text, owed numeric)
    WHERE v.type = 'wallet.negative_balance' AND ($1::text IS NULL OR v.player_id = $1)
    ORDER BY v.player_id, d.currency, v.seq DESC
) e
FULL JOIN (SELECT * FROM balance WHERE account = 'RECEIVABLE' AND ($1::text IS NULL OR player_id = $1)) b
    USING (player_id, currency)
LEFT JOIN unnest($2::text[], $3::int4[]) AS c (code, digits) ON c.code = currency
WHERE coalesce(-b.amount, 0) IS DISTINCT FROM coalesce(e.owed * 10::numeric ^ c.digits, 0)
    AND (
        e.owed IS NOT NULL
        OR 0 = (
            SELECT t.trimmed
            FROM player p
            JOIN lane_publisher t ON t.lane = p.lane
            WHERE p.id = b.player_id
        )
    )
