-- Until when a player's logins are locked; a row without a time when there are failures alone.
SELECT locked_until FROM login_failure WHERE player_id = $1
