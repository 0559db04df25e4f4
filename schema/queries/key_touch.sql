-- To the minute: a key that is always in use must not be a row that is always written.
UPDATE operator_key SET last_used_at = $2, last_used_address = $3
WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2::timestamptz - interval '1 minute')
