-- Changes what the operator tells of a player. $1 player; $2 whether the country, and $3 to what; $4 whether the
-- language, and $5 to what; $6 the labels, null to leave them.
WITH known AS (
    UPDATE player SET country = CASE WHEN $2::bool THEN $3::text ELSE country END WHERE id = $1 RETURNING id
)
INSERT INTO player_profile (player_id, language, labels)
SELECT k.id, CASE WHEN $4::bool THEN $5::text END, coalesce($6::text, '{}') FROM known k
ON CONFLICT (player_id) DO UPDATE
SET language = CASE WHEN $4::bool THEN $5::text ELSE player_profile.language END,
    labels = coalesce($6::text, player_profile.labels)
RETURNING player_id
