-- Decides what waits: of all who try, one. $1 id, $2 the new state, $3 key and $4 person of who decides, $5 why, $6 now.
-- Nobody approves or rejects what is over; nothing expires before.
UPDATE approval
SET state = $2::text, checker_key = $3, checker = $4, reason = $5, decided_at = $6::timestamptz,
    finished_at = CASE WHEN $2::text <> 'executing' THEN $6::timestamptz END
WHERE id = $1 AND state = 'pending' AND (expires_at <= $6::timestamptz) = ($2::text = 'expired')
RETURNING *
