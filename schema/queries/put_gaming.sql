UPDATE gaming SET enabled = $1, finish_open_round = $2, reason = $3, changed_at = $4
RETURNING enabled, finish_open_round, reason, changed_at
