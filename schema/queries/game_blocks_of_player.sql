-- Those that hold now, oldest first.
SELECT player_id, id, scope, target, reason, finish_open_round, person, created_at, removed_at
FROM game_block
WHERE player_id = $1 AND removed_at IS NULL
ORDER BY id
