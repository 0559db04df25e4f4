SELECT format('player %s, transaction %s: posts to %s but is %s', p.player_id, p.number, p.account, coalesce(l.state, 'missing'))
    AS breach
FROM posting p
LEFT JOIN ledger l USING (player_id, number)
WHERE l.state IS DISTINCT FROM 'applied'
UNION ALL
SELECT format('player %s: %s %s of %s is a tombstone and moved', player_id, kind, external_id, provider_id)
FROM ledger
GROUP BY player_id, provider_id, kind, external_id
HAVING bool_or(state = 'tombstone') AND bool_or(state = 'applied')
