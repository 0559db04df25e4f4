UPDATE event_reader SET lane_rows = $2 WHERE name = $1
