-- Newest first, before ($1, $2), not before $3, at most $4: by $5 and, where it is told, of kind $6.
SELECT number, id, at, action, actor_kind, actor_id, person, address, subject, detail, hash
FROM audit_entry
WHERE actor_id = $5 AND (at, number) < ($1, $2) AND at >= $3
    AND ($6::text IS NULL OR action = $6)
ORDER BY at DESC, number DESC
LIMIT $4
