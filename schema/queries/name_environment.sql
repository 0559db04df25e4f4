-- Tells the database which world it is of, unless it knows; answers what it knows.
UPDATE install SET environment = coalesce(environment, $1) RETURNING environment
