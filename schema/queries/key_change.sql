-- Unless it was changed since version $2, or revoked.
UPDATE operator_key
SET name = $3, scopes = $4, allowed = $5, rate_per_s = $6, rate_burst = $7, expires_at = $8, version = version + 1
WHERE id = $1 AND version = $2 AND revoked_at IS NULL
RETURNING id
