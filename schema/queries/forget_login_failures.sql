DELETE FROM login_failure WHERE player_id = $1
