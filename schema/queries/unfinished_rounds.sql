-- Open rounds opened at $1 or before, oldest first: $2 provider, $3 currency; those after ($4 time, $5 player, $6 number);
-- at most $7. Reads every open round, as overdue_rounds.sql does and for its reason.
SELECT r.*, NULL::uuid AS opened_by
FROM round r
WHERE r.is_open AND r.opened_at <= $1::timestamptz
    AND ($2::text IS NULL OR r.provider_id = $2) AND ($3::text IS NULL OR r.currency = $3)
    AND ($4::timestamptz IS NULL OR (r.opened_at, r.player_id, r.number) > ($4, $5::text, $6::int8))
ORDER BY r.opened_at, r.player_id, r.number
LIMIT $7::int8
