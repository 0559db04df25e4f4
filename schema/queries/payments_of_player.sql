-- As payments_newest.sql, of one player: through his own payments, whatever their kind: (..) IS TRUE is looked up in no index.
SELECT player_id, document
FROM payment
WHERE player_id = $3::text AND id < $2::uuid AND (kind = $1::text) IS TRUE
    AND ($4::text IS NULL OR state = $4::text)
    AND ($5::text IS NULL OR reference = $5::text)
ORDER BY id DESC
LIMIT $6
