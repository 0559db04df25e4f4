-- One round of player $1.
SELECT r.*, NULL::uuid AS opened_by
FROM round r
WHERE r.player_id = $1::text AND r.provider_id = $2::text AND r.scope_game = $3::text AND r.round_id = $4::text
LIMIT 1
