-- Newest first, before $1, at most $2.
SELECT * FROM webhook_shown WHERE id < $1 ORDER BY id DESC LIMIT $2
