-- The key that has this secret, by its hash, or had it until it was rotated.
SELECT
    id, prefix, name, person, issuers, scopes, allowed, rate_per_s, rate_burst, old_prefix, old_until, expires_at, created_at,
    revoked_at, last_used_at, last_used_address, version,
    hash <> $1 AS is_old
FROM operator_key
WHERE hash = $1 OR old_hash = $1
