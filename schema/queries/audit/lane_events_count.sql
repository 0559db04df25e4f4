SELECT count(*) AS checked FROM outbox
