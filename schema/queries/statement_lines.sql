-- What moved in currency $2 from a player's transaction $3 to before $4, oldest first; $5 at most.
SELECT number, id, provider_id, kind, external_id, amount, accounts, amounts::int8[] AS amounts, game_id, round_id, created_at
FROM ledger
WHERE player_id = $1 AND number >= $3 AND number < $4 AND currency = $2 AND cardinality(accounts) > 0
ORDER BY number
LIMIT $5
