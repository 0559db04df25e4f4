-- The raised epoch keeps whoever delivers from putting his own position over this one.
UPDATE webhook
SET lane_rows = $2, lane_events = $3, failures = 0, failing_since = NULL, next_attempt_at = NULL, epoch = epoch + 1
WHERE id = $1
