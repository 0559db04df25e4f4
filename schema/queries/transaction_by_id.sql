SELECT * FROM shown_transaction t WHERE t.id = $1::uuid LIMIT 1
