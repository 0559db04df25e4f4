INSERT INTO provider (id, dialect, name, policy, secrets, enabled)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (id) DO UPDATE
SET dialect = excluded.dialect, name = excluded.name, policy = excluded.policy, secrets = excluded.secrets,
    enabled = excluded.enabled
