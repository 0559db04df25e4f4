-- The blocks that were made, changed or lifted since a version of the catalogue.
SELECT player_id, id, scope, target, reason, finish_open_round, person, created_at, removed_at
FROM game_block
WHERE catalogue_version > $1
