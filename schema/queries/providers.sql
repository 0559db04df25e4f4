SELECT id, dialect, name, policy, secrets, enabled, created_at FROM provider ORDER BY id
