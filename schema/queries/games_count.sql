SELECT count(*) FROM game
