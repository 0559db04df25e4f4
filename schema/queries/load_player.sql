-- A player with his balances, the stakes that his open rounds hold, his newest open rounds and live sessions:
-- one row, one moment. $1 player, $2 rounds at most, $3 sessions at most.
SELECT
    p.lane, p.version, p.last_transaction, p.last_event, p.status, p.country,
    (
        SELECT coalesce(json_agg(json_build_object(
            'currency', b.currency, 'account', b.account, 'units', b.amount
        ) ORDER BY b.currency, b.account), '[]'::json)::text
        FROM balance b
        WHERE b.player_id = p.id
    ) AS balances,
    (
        SELECT coalesce(json_agg(json_build_object('currency', h.currency, 'units', h.units)), '[]'::json)::text
        FROM (
            SELECT r.currency, sum(r.stake)::int8 AS units
            FROM (
                -- In an order that only the index of open rounds has: by another one all his rounds would be read.
                SELECT o.currency, o.stake
                FROM round o
                WHERE o.player_id = p.id AND o.is_open
                ORDER BY o.number
            ) r
            GROUP BY r.currency
        ) h
    ) AS held,
    (
        SELECT coalesce(json_agg(d.document ORDER BY d.number), '[]'::json)::text
        FROM (
            SELECT r.document, r.number
            FROM round_document r
            WHERE r.player_id = p.id AND r.is_open
            ORDER BY r.number DESC
            LIMIT $2::int8
        ) d
    ) AS rounds,
    (
        SELECT coalesce(json_agg(s.document ORDER BY s.created_at, s.id), '[]'::json)::text
        FROM (
            SELECT *
            FROM session_document l
            WHERE l.player_id = p.id AND l.ended_at IS NULL AND l.expires_at > now()
            ORDER BY l.created_at DESC, l.id DESC
            LIMIT $3::int8
        ) s
    ) AS sessions
FROM player p
WHERE p.id = $1::text
