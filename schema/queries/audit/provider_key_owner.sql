SELECT format(
    '%s %s of %s: the ledger says player %s, the key %s', kind, external_id, provider_id, l.player_id,
    coalesce(k.player_id, 'nobody')
) AS breach
FROM ledger l
LEFT JOIN provider_key k USING (provider_id, kind, external_id)
WHERE l.provider_wide AND l.player_id IS DISTINCT FROM k.player_id AND ($1::text IS NULL OR l.player_id = $1)
UNION ALL
-- Of one player this cannot be asked: keys are not stored by player.
SELECT format('%s %s of %s: the key says player %s, his ledger has none', k.kind, k.external_id, k.provider_id, k.player_id)
FROM provider_key k
LEFT JOIN ledger l
    ON l.player_id = k.player_id AND l.provider_id = k.provider_id AND l.kind = k.kind
        AND l.external_id = k.external_id AND l.provider_wide
WHERE l.player_id IS NULL AND $1::text IS NULL
