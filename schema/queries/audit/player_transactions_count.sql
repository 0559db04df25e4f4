SELECT count(*) AS checked FROM player
