INSERT INTO operator_key (id, prefix, hash, name)
VALUES ($1, $2, $3, $4)
ON CONFLICT DO NOTHING
