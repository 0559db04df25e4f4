-- The id that so many transactions newest first from $1 on lead down to, not below $2; $3 how many are looked at.
SELECT s.id, count(*) OVER () AS looked_at
FROM (
    SELECT l.id
    FROM ledger l
    WHERE l.id < $1::uuid AND l.id >= $2::uuid
    ORDER BY l.id DESC
    LIMIT $3::int8
) s
ORDER BY s.id
LIMIT 1
