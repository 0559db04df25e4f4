-- $1 currency codes, $2 their ledger digits: events tell amounts in decimal text, the ledger keeps units.
SELECT format(
    'player %s: his newest event with a balance (%s) tells %s %s, the ledger has %s units', b.player_id, e.seq,
    e.cash, b.currency, b.amount
) AS breach
FROM balance b
JOIN unnest($1::text[], $2::int4[]) AS c (code, digits) ON c.code = b.currency
LEFT JOIN (
    SELECT DISTINCT ON (player_id, body::json #>> '{data,balance,currency}')
        player_id, seq, body::json #>> '{data,balance,currency}' AS currency, body::json #>> '{data,balance,cash}' AS cash
    FROM event
    WHERE body::json #>> '{data,balance,cash}' IS NOT NULL
    ORDER BY player_id, body::json #>> '{data,balance,currency}', seq DESC
) e ON e.player_id = b.player_id AND e.currency = b.currency
JOIN player p ON p.id = b.player_id
JOIN lane_publisher t ON t.lane = p.lane
WHERE b.account = 'CASH' AND b.amount IS DISTINCT FROM e.cash::numeric * 10::numeric ^ c.digits
    -- The event may have been trimmed.
    AND (e.cash IS NOT NULL OR t.trimmed = 0)
