-- Every ledger transaction of one run, with what its postings moved. The postings of a bet that are below
-- zero are the player's; all of them together are zero.
SELECT
    l.player_id, l.provider_id, l.kind, l.external_id, l.state, l.amount,
    coalesce(sum(p.amount) FILTER (WHERE p.amount < 0), 0)::int8 AS taken,
    coalesce(sum(p.amount), 0)::int8 AS total
FROM ledger l
LEFT JOIN posting p ON p.player_id = l.player_id AND p.number = l.number
WHERE starts_with(l.external_id, $1)
GROUP BY l.player_id, l.number
