-- By id, after $1, at most $2.
SELECT * FROM provider WHERE id > $1 ORDER BY id LIMIT $2
