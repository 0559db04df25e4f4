SELECT request_hash, status, body, created_at FROM idempotency WHERE key_id = $1 AND key = $2
