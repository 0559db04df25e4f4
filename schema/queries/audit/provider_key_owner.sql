SELECT format('%s %s of %s is stored for %s players', kind, external_id, provider_id, count(*)) AS breach
FROM ledger
WHERE provider_wide
GROUP BY provider_id, kind, external_id
HAVING count(*) > 1
UNION ALL
SELECT format(
    '%s %s of %s: the ledger says player %s, the key %s', kind, external_id, provider_id,
    coalesce(l.player_id, 'nobody'), coalesce(k.player_id, 'nobody')
)
FROM (SELECT * FROM ledger WHERE provider_wide) l
FULL JOIN provider_key k USING (provider_id, kind, external_id)
WHERE l.player_id IS DISTINCT FROM k.player_id
