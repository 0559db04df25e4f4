SELECT player_id, amount
FROM balance
WHERE account = 'CASH'
