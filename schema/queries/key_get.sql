SELECT
    id, prefix, name, person, issuers, scopes, allowed, rate_per_s, rate_burst, old_prefix, old_until, expires_at, created_at,
    revoked_at, last_used_at, last_used_address, version,
    false AS is_old
FROM operator_key
WHERE id = $1
