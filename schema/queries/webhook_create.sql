-- Unless there are $9 endpoints already.
INSERT INTO webhook (id, key_id, url, description, types, secret, lane_rows, lane_events, created_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $10
WHERE (SELECT count(*) FROM webhook) < $9
