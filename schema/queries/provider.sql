SELECT * FROM provider WHERE id = $1
