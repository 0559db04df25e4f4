-- Writes down what came of an approval. $1 id, $2 the transaction, $3 why there is none, $4 now.
UPDATE approval
SET state = CASE WHEN $2::uuid IS NULL THEN 'failed' ELSE 'approved' END, transaction_id = $2::uuid, failure = $3,
    finished_at = $4
WHERE id = $1 AND state = 'executing'
RETURNING *
