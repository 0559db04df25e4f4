SELECT format(
    'player %s, transaction %s: its answer tells %s %s after transaction %s, the ledger %s after %s', player_id,
    number, told, currency, told_id, cash, id
) AS breach
FROM (
    SELECT
        l.player_id, l.number, 'tx_' || replace(l.id::text, '-', '') AS id, l.currency, r.transaction AS told_id, r.balance ->> 'cash' AS told,
        sum(coalesce(p.cash, 0)) OVER (
            PARTITION BY l.player_id, l.currency ORDER BY l.number ROWS UNBOUNDED PRECEDING
        ) AS cash
    FROM ledger l
    CROSS JOIN LATERAL json_to_record(l.reply::json) AS r (transaction text, balance json)
    CROSS JOIN LATERAL (
        SELECT sum(u.amount) AS cash FROM unnest(l.accounts, l.amounts) AS u (account, amount) WHERE u.account = 'CASH'
    ) p
    WHERE l.state = 'applied' AND l.currency IS NOT NULL AND ($1::text IS NULL OR l.player_id = $1)
) a
WHERE told::numeric IS DISTINCT FROM cash OR told_id IS DISTINCT FROM id
