-- No checkpoint moves until the end of this transaction; what comes next in it sees all that moved before.
SELECT lane FROM lane_publisher ORDER BY lane FOR UPDATE
