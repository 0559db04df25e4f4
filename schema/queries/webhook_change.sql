-- What is null stays. Enabling begins with a clean slate; the raised epoch makes whoever delivers read anew.
UPDATE webhook
SET url = coalesce($2, url),
    description = coalesce($3, description),
    types = coalesce($4, types),
    enabled = coalesce($5, enabled),
    disabled_by = CASE WHEN coalesce($5, enabled) THEN NULL ELSE coalesce(disabled_by, 'operator') END,
    failures = CASE WHEN $5 OR $2 IS NOT NULL THEN 0 ELSE failures END,
    failing_since = CASE WHEN $5 OR $2 IS NOT NULL THEN NULL ELSE failing_since END,
    next_attempt_at = CASE WHEN $5 OR $2 IS NOT NULL THEN NULL ELSE next_attempt_at END,
    lane_rows = coalesce($6, lane_rows),
    lane_events = coalesce($7, lane_events),
    epoch = epoch + 1
WHERE id = $1
