-- Unless it is revoked. $3, the key that asks, must not be revoked meanwhile, or two could revoke each other and
-- nobody be left; null on the command line.
UPDATE operator_key k
SET revoked_at = $2, version = k.version + 1
WHERE k.id = $1 AND k.revoked_at IS NULL
    AND ($3::uuid IS NULL OR EXISTS (
        SELECT FROM operator_key a WHERE a.id = $3 AND a.revoked_at IS NULL FOR SHARE
    ))
RETURNING k.id
