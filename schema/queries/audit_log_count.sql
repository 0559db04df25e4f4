SELECT count(*) AS checked FROM audit_entry WHERE $1::text IS NULL
