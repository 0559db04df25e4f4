-- Lane $1 is published up to $3, unless its epoch is no longer $2; $4 as JSON what the bus numbered its events.
-- Not waited for on disk: a checkpoint that a crash takes back is a batch published again, which the bus drops,
-- and a flush here would be one more for every few bets.
WITH
moved AS (
    UPDATE lane_publisher
    SET published = greatest(published, $3), acknowledged = $4::text::jsonb
    WHERE lane = $1 AND epoch = $2 AND set_config('synchronous_commit', 'off', true) IS NOT NULL
    RETURNING lane, published, acknowledged
),
saved AS (
    INSERT INTO bus_savepoint (lane, published, acknowledged)
    SELECT m.lane, m.published, m.acknowledged
    FROM moved m
    WHERE NOT EXISTS (
        SELECT FROM bus_savepoint b WHERE b.lane = $1 AND b.saved_at > clock_timestamp() - interval '1 minute'
    )
    ON CONFLICT DO NOTHING
)
SELECT lane FROM moved
