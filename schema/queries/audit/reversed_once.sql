SELECT format('player %s: transaction %s is taken back %s times', player_id, reverses, count(*)) AS breach
FROM ledger
WHERE reverses IS NOT NULL AND ($1::text IS NULL OR player_id = $1)
GROUP BY player_id, reverses
HAVING count(*) > 1
UNION ALL
SELECT format('player %s, transaction %s takes back %s, which he never made', r.player_id, r.number, r.reverses)
FROM ledger r
LEFT JOIN ledger t ON t.player_id = r.player_id AND t.id = r.reverses AND t.state = 'applied' AND t.number < r.number
WHERE r.reverses IS NOT NULL AND t.id IS NULL AND ($1::text IS NULL OR r.player_id = $1)
