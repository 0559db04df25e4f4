-- What players have, by currency and kind of money: now, or at the moment $1 (null: now), for which everything that was
-- posted since is taken back; $2, the id of that time, is what the index is read by. $3 with test players. What open
-- rounds hold is known for now alone.
SELECT
    m.currency,
    coalesce(sum(m.amount) FILTER (WHERE m.money = 'cash'), 0)::text AS cash,
    coalesce(sum(m.amount) FILTER (WHERE m.money = 'bonus'), 0)::text AS bonus,
    coalesce(sum(m.amount) FILTER (WHERE m.money = 'winnings'), 0)::text AS winnings,
    coalesce(sum(m.amount) FILTER (WHERE m.money = 'hold'), 0)::text AS hold,
    coalesce(sum(m.amount) FILTER (WHERE m.money = 'receivable'), 0)::text AS receivable,
    CASE WHEN $1::timestamptz IS NULL THEN coalesce(sum(m.amount) FILTER (WHERE m.money = 'rounds'), 0)::text END AS rounds
FROM (
    SELECT b.player_id, b.currency, money_of(b.account) AS money, b.amount
    FROM balance b
    UNION ALL
    SELECT l.player_id, l.currency, money_of(p.account), -p.amount
    FROM ledger l
    CROSS JOIN LATERAL unnest(l.accounts, l.amounts, l.balances_after) AS p (account, amount, balance_after)
    WHERE $1::timestamptz IS NOT NULL AND l.id >= $2::uuid AND l.created_at >= $1::timestamptz
        AND p.balance_after IS NOT NULL
    UNION ALL
    SELECT r.player_id, r.currency, 'rounds', r.stake
    FROM round r
    WHERE $1::timestamptz IS NULL AND r.is_open
) m
WHERE $3::bool OR m.player_id NOT IN (SELECT t.id FROM test_player t)
GROUP BY m.currency
ORDER BY m.currency
