-- What every player of the load test has, account by account.
SELECT player_id, account, amount
FROM balance
WHERE starts_with(player_id, 'load-') AND currency = $1
