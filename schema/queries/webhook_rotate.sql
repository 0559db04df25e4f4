-- The secret that was current until now goes on signing until $3.
UPDATE webhook
SET old_secret = secret, old_secret_until = $3, secret = $2, epoch = epoch + 1
WHERE id = $1
