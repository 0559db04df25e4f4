-- All that happened in a round of player $1 ($2 provider, $3 scope, $4 round id), newest first, numbers below $6, at
-- most $7: its bets and wins, what took one of them back, its close under the external id $5, and what was decided in
-- the moment in which it ended: a void names no entry.
WITH r AS MATERIALIZED (
    SELECT r.player_id, r.entries, r.closed_at
    FROM round r
    WHERE r.player_id = $1::text AND r.provider_id = $2::text AND r.scope_game = $3::text AND r.round_id = $4::text
    LIMIT 1
),
entry AS MATERIALIZED (
    SELECT l.number, l.id
    FROM r
    CROSS JOIN LATERAL unnest(r.entries) AS e (number)
    CROSS JOIN LATERAL (
        SELECT k.number, k.id
        FROM ledger k
        WHERE k.player_id = $1::text AND k.number >= e.number AND k.number <= e.number
        ORDER BY k.number
        LIMIT 1
    ) l
),
happened AS (
    SELECT e.number FROM entry e
    UNION
    SELECT v.number
    FROM entry e
    CROSS JOIN LATERAL (
        SELECT k.number FROM ledger k WHERE k.player_id = $1::text AND k.reverses = e.id LIMIT 1
    ) v
    UNION
    (
        SELECT k.number
        FROM ledger k
        WHERE k.player_id = $1::text AND k.provider_id = $2::text AND k.kind = 'close_round'
            AND k.external_id = $5::text
        LIMIT 1
    )
    UNION
    SELECT k.number
    FROM r
    CROSS JOIN LATERAL (
        SELECT k.*
        FROM ledger k
        WHERE k.player_id = $1::text AND k.number >= first_number_at($1::text, r.closed_at)
        ORDER BY k.number
        LIMIT 64
    ) k
    WHERE k.created_at = r.closed_at AND k.provider_id = $2::text AND k.round_scope = $3::text
        AND k.round_id = $4::text
)
SELECT t.*
FROM (SELECT h.number FROM happened h WHERE h.number < $6::int8 ORDER BY h.number DESC LIMIT $7::int8) h
CROSS JOIN LATERAL (
    SELECT *
    FROM shown_transaction s
    WHERE s.player_id = $1::text AND s.number >= h.number AND s.number <= h.number
    ORDER BY s.number
    LIMIT 1
) t
ORDER BY t.number DESC
