-- Of the revision that was read. $8: it must not have sent anything yet; $9: it must have no open round. The latter reads
-- the open rounds of all accounts, by the open part of `round_by_player`: it is asked once, when an account is closed.
UPDATE provider
SET name = $3, policy = $4, status = $5, allowed_addresses = $6, callback_log = $7, settings = $10,
    revision = revision + 1
WHERE id = $1 AND revision = $2
    AND (NOT $8 OR used_at IS NULL)
    AND (NOT $9 OR NOT EXISTS (SELECT FROM round r WHERE r.is_open AND r.provider_id = $1))
RETURNING *
