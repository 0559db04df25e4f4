-- Blocks a player, or changes the reason of a block that holds. No row: there is no such player. `is_new` tells which.
-- $1 player, $2 id, $3 scope, $4 target, $5 reason, $6 finish open rounds, $7 person, $8 now.
INSERT INTO game_block (player_id, id, scope, target, reason, finish_open_round, person, created_at)
SELECT p.id, $2::uuid, $3::text, $4::text, $5::text, $6::boolean, $7::text, $8::timestamptz FROM player p WHERE p.id = $1::text
ON CONFLICT (player_id, scope, target) WHERE removed_at IS NULL DO UPDATE
SET reason = excluded.reason, finish_open_round = excluded.finish_open_round, person = excluded.person
RETURNING player_id, id, scope, target, reason, finish_open_round, person, created_at, removed_at, id = $2 AS is_new
