UPDATE lane_publisher SET published = greatest(published, $3) WHERE lane = $1 AND epoch = $2
