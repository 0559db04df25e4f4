-- Not waited for on disk: a checkpoint that a crash takes back is a batch published again, which the bus drops,
-- and a flush here would be one more for every few bets.
UPDATE lane_publisher
SET published = greatest(published, $3)
WHERE lane = $1 AND epoch = $2 AND set_config('synchronous_commit', 'off', true) IS NOT NULL
