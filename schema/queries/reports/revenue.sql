-- Revenue of a period: $1 from, $2 to, by the times of transactions; $3 and $4, the ids of that time, are what the index
-- is read by. $5 by provider, $6 by game, $7 by day, each that long after midnight UTC: $8; $9 by player. $10 with test
-- players. $11 provider, $12 game, $13 currency.
--
-- A row of the ledger first, by what its postings did to the player's moneys; then sums for each player and game, so
-- that players can be counted and games weighed by their stakes; then what was asked for. Sums are text: they may be
-- more than 64 bits hold.
WITH moved AS (
    SELECT
        l.player_id, l.currency, l.kind, l.game_id,
        CASE WHEN $5::bool THEN l.provider_id END AS provider_id,
        CASE WHEN $7::bool THEN ((l.created_at AT TIME ZONE 'UTC') + $8::int4 * interval '1 minute')::date END AS day,
        l.kind IN ('bet', 'win') AND l.round_id IS NOT NULL AND EXISTS (
            SELECT
            FROM round r
            WHERE r.player_id = l.player_id AND r.provider_id = l.provider_id AND r.scope_game = l.round_scope
                AND r.round_id = l.round_id AND r.number = l.number
        ) AS opens,
        m.*
    FROM ledger l
    CROSS JOIN LATERAL (
        SELECT
            coalesce(sum(u.amount) FILTER (WHERE u.is_cash AND u.amount > 0), 0) AS cash_in,
            coalesce(-sum(u.amount) FILTER (WHERE u.is_cash AND u.amount < 0), 0) AS cash_out,
            coalesce(sum(u.amount) FILTER (WHERE NOT u.is_cash AND u.amount > 0), 0) AS bonus_in,
            coalesce(-sum(u.amount) FILTER (WHERE NOT u.is_cash AND u.amount < 0), 0) AS bonus_out,
            coalesce(bool_or(u.account = 'PROMO_POOL' OR NOT u.is_cash), false) AS is_promotion
        FROM (
            SELECT
                p.account, p.amount,
                -- Null for the accounts of the house, and for what withdrawals hold: no play, no promotion.
                CASE WHEN p.balance_after IS NOT NULL
                    AND p.account NOT IN ('WITHDRAWAL_HOLD', 'W_FEE_HOLD', 'PSP_TRANSIT') THEN p.account IN ('CASH', 'RECEIVABLE') END AS is_cash
            FROM unnest(l.accounts, l.amounts, l.balances_after) AS p (account, amount, balance_after)
        ) u
    ) m
    WHERE l.id >= $3::uuid AND l.id < $4::uuid
        AND l.created_at >= $1::timestamptz AND l.created_at < $2::timestamptz
        AND l.state = 'applied' AND l.currency IS NOT NULL
        AND ($10::bool OR l.player_id NOT IN (SELECT t.id FROM test_player t))
        AND ($11::text IS NULL OR l.provider_id = $11) AND ($12::text IS NULL OR l.game_id = $12)
        AND ($13::text IS NULL OR l.currency = $13)
),
summed AS (
    SELECT
        provider_id, game_id, currency, day, player_id,
        count(*) FILTER (WHERE kind = 'bet') AS bets,
        count(*) FILTER (WHERE kind = 'win') AS wins,
        count(*) FILTER (WHERE kind = 'rollback') AS rollbacks,
        count(*) FILTER (WHERE kind = 'void_round') AS voids,
        count(*) FILTER (WHERE opens) AS rounds,
        coalesce(sum(cash_out) FILTER (WHERE kind = 'bet'), 0) AS stake_cash,
        coalesce(sum(bonus_out) FILTER (WHERE kind = 'bet'), 0) AS stake_bonus,
        coalesce(sum(cash_in) FILTER (WHERE kind = 'win'), 0) AS won_cash,
        coalesce(sum(bonus_in) FILTER (WHERE kind = 'win'), 0) AS won_bonus,
        coalesce(sum(cash_in) FILTER (WHERE kind IN ('rollback', 'void_round')), 0) AS stake_back_cash,
        coalesce(sum(bonus_in) FILTER (WHERE kind IN ('rollback', 'void_round')), 0) AS stake_back_bonus,
        coalesce(sum(cash_out) FILTER (WHERE kind IN ('rollback', 'void_round')), 0) AS won_back_cash,
        coalesce(sum(bonus_out) FILTER (WHERE kind IN ('rollback', 'void_round')), 0) AS won_back_bonus,
        coalesce(sum(cash_in - cash_out) FILTER (WHERE kind = 'adjustment'), 0) AS adjustments,
        coalesce(sum(cash_in - cash_out) FILTER (
            WHERE is_promotion AND kind NOT IN ('bet', 'win', 'rollback', 'void_round', 'adjustment')
        ), 0) AS bonus_cost
    FROM moved
    -- Deposits and the like are no revenue.
    WHERE kind IN ('bet', 'win', 'rollback', 'void_round', 'adjustment') OR is_promotion
    GROUP BY 1, 2, 3, 4, 5
),
weighed AS (
    SELECT
        s.*, s.stake_cash + s.stake_bonus AS stake,
        CASE WHEN g.rtp ~ '^[0-9]{1,3}([.][0-9]{1,6})?$' THEN g.rtp::numeric * 1000000 END::int8 AS rtp
    FROM summed s
    LEFT JOIN game g ON g.id = s.game_id
)
SELECT
    CASE WHEN $9::bool THEN player_id END AS player_id,
    provider_id,
    CASE WHEN $6::bool THEN game_id END AS game_id,
    currency, day::text AS day,
    sum(bets)::int8 AS bets, sum(wins)::int8 AS wins, sum(rollbacks)::int8 AS rollbacks, sum(voids)::int8 AS voids,
    sum(rounds)::int8 AS rounds,
    count(DISTINCT player_id) FILTER (WHERE bets > 0) AS players,
    sum(stake_cash)::text AS stake_cash, sum(stake_bonus)::text AS stake_bonus,
    sum(won_cash)::text AS won_cash, sum(won_bonus)::text AS won_bonus,
    sum(stake_back_cash)::text AS stake_back_cash, sum(stake_back_bonus)::text AS stake_back_bonus,
    sum(won_back_cash)::text AS won_back_cash, sum(won_back_bonus)::text AS won_back_bonus,
    sum(adjustments)::text AS adjustments, sum(bonus_cost)::text AS bonus_cost,
    coalesce(sum(stake) FILTER (WHERE rtp IS NOT NULL), 0)::text AS stake_with_rtp,
    coalesce(sum(stake * rtp), 0)::text AS stake_times_rtp
FROM weighed
GROUP BY 1, 2, 3, 4, 5
ORDER BY day, currency, provider_id, game_id, player_id
