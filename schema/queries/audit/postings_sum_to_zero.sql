-- A transaction has one currency: its sum is that of its own row.
SELECT format(
    'player %s, transaction %s: %s postings to %s accounts sum to %s %s', l.player_id, l.number, p.postings,
    cardinality(l.accounts), p.total, l.currency
) AS breach
FROM ledger l
CROSS JOIN LATERAL (SELECT count(a) AS postings, coalesce(sum(a), 0) AS total FROM unnest(l.amounts) a) p
WHERE ($1::text IS NULL OR l.player_id = $1)
    AND (
        p.total <> 0 OR p.postings = 1 OR p.postings <> cardinality(l.accounts)
        OR p.postings <> cardinality(l.balances_after)
    )
