-- The transactions of a player from $2 to before $3: the first, and the one after the last.
SELECT first_number_at($1, $2) AS first, first_number_at($1, $3) AS past
