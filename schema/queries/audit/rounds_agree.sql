-- Each round as the ledger makes it, beside its row: what was moved in it, and what of its bets and wins stands.
SELECT format(
    'player %s, round %s of %s: is %s with %s bets of %s and %s wins of %s; the ledger makes %s bets of %s and %s '
        'wins of %s, and moved %s %s',
    player_id, round_id, provider_id, coalesce(r.state, 'missing'), r.bets, r.stake, r.wins, r.won, l.bets, l.stake,
    l.wins, l.won, l.moved, l.currency
) AS breach
FROM (SELECT * FROM round WHERE ($1::text IS NULL OR player_id = $1)) r
FULL JOIN (
    SELECT
        t.player_id, t.provider_id, t.round_scope AS scope_game, t.round_id,
        min(t.number) AS number,
        min(t.currency) AS currency,
        max(t.currency) AS other_currency,
        coalesce(array_agg(t.number ORDER BY t.number) FILTER (WHERE t.kind IN ('bet', 'win')), '{}') AS entries,
        coalesce(sum(t.amount - t.back) FILTER (WHERE t.kind = 'bet'), 0) AS stake,
        coalesce(sum(t.amount - t.back) FILTER (WHERE t.kind = 'win'), 0) AS won,
        count(*) FILTER (WHERE t.kind = 'bet' AND t.stands) AS bets,
        count(*) FILTER (WHERE t.kind = 'win' AND t.stands) AS wins,
        coalesce(sum(p.moved), 0) AS moved,
        bool_or(t.kind = 'void_round') AS is_voided
    FROM (
        SELECT l.*, coalesce(v.amount, 0) AS back, v.amount IS NULL OR v.amount < l.amount AS stands
        FROM ledger l
        LEFT JOIN ledger v ON v.player_id = l.player_id AND v.reverses = l.id AND v.reverses IS NOT NULL
        WHERE l.state = 'applied' AND l.round_id IS NOT NULL AND ($1::text IS NULL OR l.player_id = $1)
    ) t
    CROSS JOIN LATERAL (
        SELECT sum(u.amount) AS moved
        FROM unnest(t.accounts, t.amounts, t.balances_after) AS u (account, amount, balance_after)
        WHERE u.balance_after IS NOT NULL
    ) p
    GROUP BY t.player_id, t.provider_id, t.round_scope, t.round_id
) l USING (player_id, provider_id, scope_game, round_id)
WHERE r.state IS NULL OR l.number IS NULL
    OR r.number <> l.number OR r.currency <> l.currency OR r.currency <> l.other_currency OR r.entries <> l.entries
    OR r.is_open <> (r.state IN ('open', 'interrupted')) OR r.is_open <> (r.closed_at IS NULL)
    OR (r.state = 'voided') <> l.is_voided
    OR r.won - r.stake <> l.moved
    -- Voiding takes back whatever still stood.
    OR CASE
        WHEN r.state = 'voided' THEN (r.stake, r.won, r.bets, r.wins) IS DISTINCT FROM (0, 0, 0, 0)
        ELSE (r.stake, r.won, r.bets, r.wins) IS DISTINCT FROM (l.stake, l.won, l.bets, l.wins)
    END
