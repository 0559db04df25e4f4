SELECT id, prefix, name, person, scopes, created_at, revoked_at, last_used_at FROM operator_key WHERE hash = $1
