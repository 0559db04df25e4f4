SELECT format('player %s: bet %s (transaction %s) posts to RECEIVABLE', player_id, external_id, number) AS breach
FROM ledger
WHERE kind = 'bet' AND 'RECEIVABLE' = ANY (accounts) AND ($1::text IS NULL OR player_id = $1)
