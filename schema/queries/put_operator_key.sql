INSERT INTO operator_key (id, prefix, hash, name, person)
VALUES ($1, $2, $3, $4, $4)
ON CONFLICT DO NOTHING
