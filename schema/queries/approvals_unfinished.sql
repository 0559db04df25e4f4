-- What was approved before $1 and has no end yet; $2 at most.
SELECT * FROM approval WHERE state = 'executing' AND decided_at <= $1 ORDER BY decided_at LIMIT $2
