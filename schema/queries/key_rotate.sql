-- The secret becomes another; the one before works on until $6, or not at all when that is null. Of three in a row
-- the oldest ends at once. Unless the key was changed since version $2, or revoked.
UPDATE operator_key
SET hash = $3, prefix = $4, issuers = $5, version = version + 1,
    old_hash = CASE WHEN $6::timestamptz IS NOT NULL THEN hash END,
    old_prefix = CASE WHEN $6::timestamptz IS NOT NULL THEN prefix END,
    old_until = $6
WHERE id = $1 AND version = $2 AND revoked_at IS NULL
RETURNING id
