SELECT format('player %s: bet %s (transaction %s) posts to RECEIVABLE', l.player_id, l.external_id, l.number) AS breach
FROM posting p
JOIN ledger l USING (player_id, number)
WHERE p.account = 'RECEIVABLE' AND l.kind = 'bet'
