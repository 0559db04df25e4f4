SELECT last_event FROM player WHERE id = $1
