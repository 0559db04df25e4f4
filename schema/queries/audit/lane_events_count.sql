SELECT count(*) AS checked FROM event
