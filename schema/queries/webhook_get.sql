SELECT * FROM webhook_shown WHERE id = $1
