UPDATE provider
SET old_secret = NULL, old_secret_until = NULL, revision = revision + 1
WHERE id = $1 AND old_secret IS NOT NULL
RETURNING *
