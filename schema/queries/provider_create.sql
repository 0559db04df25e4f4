-- Unless there is one of this id, or there are $8 accounts already.
INSERT INTO provider (id, dialect, name, policy, secret, allowed_addresses, callback_log, settings)
SELECT $1, $2, $3, $4, $5, $6, $7, $9
WHERE (SELECT count(*) FROM provider) < $8
ON CONFLICT (id) DO NOTHING
RETURNING *
