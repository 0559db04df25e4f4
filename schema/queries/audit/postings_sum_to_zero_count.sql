SELECT count(*) AS checked FROM (SELECT 1 FROM posting GROUP BY player_id, number, currency) g
