-- Every event of everybody, each player's in their order.
SELECT player_id, seq, id, body
FROM event
ORDER BY player_id, seq
