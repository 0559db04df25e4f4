SELECT (SELECT count(*) FROM balance) + (SELECT count(*) FROM posting WHERE balance_after IS NOT NULL) AS checked
