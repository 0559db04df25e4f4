-- Where to look among a player's transactions for those from $2 up to before $3: from one number up to before another.
SELECT
    CASE WHEN $2::timestamptz IS NULL THEN 1 ELSE first_number_at(p.id, $2) END AS first,
    CASE WHEN $3::timestamptz IS NULL THEN p.last_transaction + 1 ELSE first_number_at(p.id, $3) END AS before
FROM player p
WHERE p.id = $1::text
