-- Each lane's newest committed number, and the number before its oldest kept row (the newest, when none is kept).
SELECT
    l.seq AS newest,
    coalesce((
        SELECT o.lane_seq - 1 FROM outbox o WHERE o.lane = l.id ORDER BY o.lane_seq LIMIT 1
    ), l.seq)::int8 AS before_oldest
FROM lane l
ORDER BY l.id
