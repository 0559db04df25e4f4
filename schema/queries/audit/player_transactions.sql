SELECT format(
    'player %s: %s transactions from %s to %s, the newest should be %s', coalesce(p.id, l.player_id),
    coalesce(l.transactions, 0), l.first, l.last, p.last_transaction
) AS breach
FROM (SELECT * FROM player WHERE ($1::text IS NULL OR id = $1)) p
FULL JOIN (
    SELECT player_id, count(*) AS transactions, min(number) AS first, max(number) AS last
    FROM ledger
    WHERE ($1::text IS NULL OR player_id = $1)
    GROUP BY player_id
) l ON l.player_id = p.id
WHERE p.last_transaction IS DISTINCT FROM coalesce(l.transactions, 0)
    OR coalesce(l.last, 0) <> coalesce(l.transactions, 0) OR coalesce(l.first, 1) <> 1
