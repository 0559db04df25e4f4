-- What nobody decided in time: $1 now, $2 at most.
SELECT id FROM approval WHERE state = 'pending' AND expires_at <= $1 ORDER BY expires_at LIMIT $2
