INSERT INTO idempotency (key_id, key, request_hash, status, body)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
