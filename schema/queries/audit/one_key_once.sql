-- The unique key promises it; a damaged index would not. Counted from the rows themselves.
SELECT format('player %s: %s %s of %s is stored %s times', player_id, kind, external_id, provider_id, count(*)) AS breach
FROM ledger
WHERE ($1::text IS NULL OR player_id = $1)
GROUP BY player_id, provider_id, kind, external_id
HAVING count(*) > 1
UNION ALL
SELECT format('transaction id %s is stored %s times', id, count(*))
FROM ledger
WHERE ($1::text IS NULL OR player_id = $1)
GROUP BY id
HAVING count(*) > 1
