SELECT * FROM provider ORDER BY id
