-- $1 player, $2 lane, $3 country, $4 test account, $5 language, $6 labels. Answers a row when he is new.
WITH made AS (
    INSERT INTO player (id, lane, country, test) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING RETURNING id
),
profile AS (
    INSERT INTO player_profile (player_id, language, labels) SELECT m.id, $5, $6 FROM made m
)
SELECT id FROM made
