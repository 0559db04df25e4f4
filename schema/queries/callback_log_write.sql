-- A row for each element. Lists of ids are JSON, for an array of arrays has to be a rectangle.
INSERT INTO callback_log (
    provider_id, received_at, outcome, action, kind, player_id, round_id, transactions, signature, status, took_us,
    address, request_id, detail
)
SELECT
    e.provider_id, e.received_at, e.outcome, e.action, e.kind, e.player_id, e.round_id,
    ARRAY(SELECT json_array_elements_text(e.transactions::json)),
    e.signature, e.status, e.took_us, e.address, e.request_id, e.detail
FROM unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::int2[], $11::int8[], $12::text[], $13::text[], $14::text[]
) AS e (
    provider_id, received_at, outcome, action, kind, player_id, round_id, transactions, signature, status, took_us,
    address, request_id, detail
)
