SELECT coalesce(sum(seq), 0)::int8 AS committed FROM lane
