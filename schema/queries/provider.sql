SELECT id, dialect, name, policy, secrets, enabled, created_at FROM provider WHERE id = $1
