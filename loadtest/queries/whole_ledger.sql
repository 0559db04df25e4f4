-- Every transaction of everybody, each player's in their order.
SELECT player_id, id, kind, external_id, state, amount
FROM ledger
ORDER BY player_id, number
