-- Changes what the operator tells of a player. $1 player; $2 whether the country, and $3 to what; $4 whether the
-- language, and $5 to what; $6 the labels, null to leave them. Bets and launches are decided by the country too, so a
-- change of it raises the player's version: what was decided by the country of before is decided again.
WITH known AS (
    UPDATE player
    SET country = CASE WHEN $2::bool THEN $3::text ELSE country END,
        version = version + CASE WHEN $2::bool AND country IS DISTINCT FROM $3::text THEN 1 ELSE 0 END
    WHERE id = $1
    RETURNING id
)
INSERT INTO player_profile (player_id, language, labels)
SELECT k.id, CASE WHEN $4::bool THEN $5::text END, coalesce($6::text, '{}') FROM known k
ON CONFLICT (player_id) DO UPDATE
SET language = CASE WHEN $4::bool THEN $5::text ELSE player_profile.language END,
    labels = coalesce($6::text, player_profile.labels)
RETURNING player_id
