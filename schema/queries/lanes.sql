-- How far each lane is.
SELECT l.id, l.seq FROM lane l
