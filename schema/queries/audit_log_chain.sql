-- The hash of each entry is made of the one before and of its own fields: told again here, and not by `audit_hash`, for
-- whoever can rewrite the log can rewrite a function. In the order of numbers, so the first breach is where it begins.
SELECT breach
FROM (
    SELECT
        e.number,
        CASE
            WHEN e.number <> coalesce(e.before, 0) + 1
                THEN format('audit entry %s follows %s: what lies between is gone', e.number, coalesce(e.before, 0))
            WHEN e.hash <> sha256(coalesce(e.hash_before, decode(repeat('00', 32), 'hex')) || convert_to((
                SELECT string_agg(coalesce(octet_length(f.field) || ':' || f.field || ',', '-,'), '' ORDER BY f.place)
                FROM unnest(ARRAY[
                    e.number::text, e.id::text, ((extract(epoch FROM e.at) * 1000000)::bigint)::text, e.action,
                    e.actor_kind, e.actor_id, e.person, e.address, e.subject, e.detail
                ]) WITH ORDINALITY AS f (field, place)
            ), 'UTF8'))
                THEN format('audit entry %s (%s, %s) is not what was written, or not behind %s', e.number, e.action, e.at,
                    coalesce(e.before, 0))
        END AS breach
    FROM (
        SELECT
            a.*, lag(a.number) OVER in_order AS before, lag(a.hash) OVER in_order AS hash_before
        FROM audit_entry a
        WHERE $1::text IS NULL
        WINDOW in_order AS (ORDER BY a.number)
    ) e
    UNION ALL
    SELECT
        h.number,
        format('the head of the audit log is entry %s, the newest that is there is %s or has another hash', h.number,
            coalesce(n.number::text, 'none'))
    FROM audit_head h
    LEFT JOIN LATERAL (SELECT a.number, a.hash FROM audit_entry a ORDER BY a.number DESC LIMIT 1) n ON true
    WHERE $1::text IS NULL
        AND (h.number, h.hash) IS DISTINCT FROM (coalesce(n.number, 0), coalesce(n.hash, decode(repeat('00', 32), 'hex')))
) found
WHERE breach IS NOT NULL
ORDER BY number
