-- Newest first, before ($1, $2), not before $3, at most $4: of kind $5.
SELECT number, id, at, action, actor_kind, actor_id, person, address, subject, detail, hash
FROM audit_entry
WHERE action = $5 AND (at, number) < ($1, $2) AND at >= $3
ORDER BY at DESC, number DESC
LIMIT $4
