-- The secret that was current until now is valid until $3; null: it ends at once.
UPDATE provider
SET old_secret = CASE WHEN $3::timestamptz IS NOT NULL THEN secret END,
    old_secret_until = $3,
    secret = $2,
    revision = revision + 1
WHERE id = $1
RETURNING *
