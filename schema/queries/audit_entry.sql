SELECT number, id, at, action, actor_kind, actor_id, person, address, subject, detail, hash FROM audit_entry WHERE number = $1
