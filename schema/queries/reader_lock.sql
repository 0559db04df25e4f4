-- The reader's own row, unless another server reads for it at this moment.
SELECT lane_rows FROM event_reader WHERE name = $1 FOR UPDATE SKIP LOCKED
