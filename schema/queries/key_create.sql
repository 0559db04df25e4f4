-- Unless there are $12 live keys already; one that is there stays as it is.
INSERT INTO operator_key (
    id, prefix, hash, name, person, issuers, scopes, allowed, rate_per_s, rate_burst, expires_at, created_at
)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $13
WHERE (SELECT count(*) FROM operator_key WHERE revoked_at IS NULL AND (expires_at IS NULL OR expires_at > $13)) < $12
ON CONFLICT DO NOTHING
RETURNING id
