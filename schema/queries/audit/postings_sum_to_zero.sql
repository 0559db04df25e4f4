SELECT format('player %s, transaction %s: postings sum to %s %s', player_id, number, sum(amount), currency) AS breach
FROM posting
GROUP BY player_id, number, currency
HAVING sum(amount) <> 0
