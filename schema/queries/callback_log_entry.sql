SELECT * FROM callback_log WHERE provider_id = $1 AND number = $2
