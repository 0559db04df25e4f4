-- Newest first, before ($1, $2), not before $3, at most $4.
SELECT number, id, at, action, actor_kind, actor_id, person, address, subject, detail, hash
FROM audit_entry
WHERE (at, number) < ($1, $2) AND at >= $3
ORDER BY at DESC, number DESC
LIMIT $4
