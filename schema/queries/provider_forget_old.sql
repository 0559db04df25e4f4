-- Old secrets whose time was over before $1.
UPDATE provider
SET old_secret = NULL, old_secret_until = NULL, revision = revision + 1
WHERE old_secret_until < $1
