SELECT * FROM approval WHERE id = $1
