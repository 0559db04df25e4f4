-- Open rounds at the moment $1 by age: $2 provider, $3 currency. By currency, and where $4 by provider and game as well.
-- The stakes as text: their sum may be more than 64 bits hold.
SELECT
    r.currency,
    CASE WHEN $4::bool THEN r.provider_id END AS provider_id,
    CASE WHEN $4::bool THEN r.game_id END AS game_id,
    a.age, count(*) AS rounds, sum(r.stake)::text AS held, min(r.opened_at) AS oldest
FROM round r
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN r.opened_at > $1::timestamptz - interval '1 hour' THEN 'under_1h'
        WHEN r.opened_at > $1::timestamptz - interval '24 hours' THEN 'under_24h'
        WHEN r.opened_at > $1::timestamptz - interval '7 days' THEN 'under_7d'
        ELSE 'older'
    END AS age
) a
WHERE r.is_open AND ($2::text IS NULL OR r.provider_id = $2) AND ($3::text IS NULL OR r.currency = $3)
    AND ($5::bool OR r.player_id NOT IN (SELECT t.id FROM test_player t))
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, min(r.opened_at)
