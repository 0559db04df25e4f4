SELECT format('player %s, transaction %s: is %s and posts to %s', player_id, number, state, accounts) AS breach
FROM ledger
WHERE state <> 'applied' AND cardinality(accounts) > 0 AND ($1::text IS NULL OR player_id = $1)
UNION ALL
SELECT format('player %s: %s %s of %s is a tombstone and moved', player_id, kind, external_id, provider_id)
FROM ledger t
JOIN ledger a USING (player_id, provider_id, kind, external_id)
WHERE t.state = 'tombstone' AND a.state = 'applied' AND ($1::text IS NULL OR player_id = $1)
