-- Newest first, before ($1, $2), not before $3, at most $4: about $5 and, where they are told, by $6 and of kind $7.
SELECT number, id, at, action, actor_kind, actor_id, person, address, subject, detail, hash
FROM audit_entry
WHERE subject = $5 AND (at, number) < ($1, $2) AND at >= $3
    AND ($6::text IS NULL OR actor_id = $6) AND ($7::text IS NULL OR action = $7)
ORDER BY at DESC, number DESC
LIMIT $4
