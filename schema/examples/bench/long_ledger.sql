-- A ledger as play makes it, written straight into the tables: $players players with one deposit and $rounds rounds
-- each, of which every tenth is rolled back and the others are won.
INSERT INTO player (id, lane, version, last_transaction, last_event)
SELECT 'player-' || n, n % $lanes, 2 + 2 * $rounds, 1 + 2 * $rounds, 2 + 4 * $rounds
FROM generate_series(1, $players) n;

CREATE TEMP TABLE step AS
SELECT
    p.id AS player_id, p.lane, s.number, s.kind, s.k, s.amount,
    -- A UUID v7 of its time.
    (
        lpad(to_hex((extract(epoch FROM now() - interval '1 day' + s.number * interval '1 second') * 1000)::bigint), 12, '0')
        || '7' || substr(md5(p.id || s.number), 1, 3) || '8' || substr(md5(p.id || s.number), 4, 15)
    )::uuid AS id,
    'r-' || s.k AS round_id,
    s.kind || '-' || s.k AS external_id,
    sum(CASE s.kind WHEN 'bet' THEN -s.amount ELSE s.amount END) OVER (PARTITION BY p.id ORDER BY s.number)::bigint
        AS cash,
    now() - interval '1 day' + s.number * interval '1 second' AS at
FROM player p
CROSS JOIN (
    SELECT 1 AS number, 'deposit' AS kind, 0 AS k, 1000000 AS amount
    UNION ALL
    SELECT 2 * k, 'bet', k, 100 FROM generate_series(1, $rounds) k
    UNION ALL
    SELECT 2 * k + 1, CASE WHEN k % 10 = 0 THEN 'rollback' ELSE 'win' END, k, CASE WHEN k % 10 = 0 THEN 100 ELSE 60 + k % 2 * 75 END
    FROM generate_series(1, $rounds) k
) s;
CREATE INDEX ON step (player_id, number);
ANALYZE step;

INSERT INTO balance (player_id, currency, account, amount)
SELECT player_id, 'EUR', 'CASH', cash FROM step WHERE number = 1 + 2 * $rounds;

INSERT INTO ledger (
    player_id, number, id, provider_id, kind, external_id, provider_wide, state, fingerprint, currency, amount, accounts,
    amounts, balances_after, game_id, round_id, reverses, reply, created_at
)
SELECT
    s.player_id, s.number, s.id, CASE s.kind WHEN 'deposit' THEN 'cashier' ELSE 'demo' END, s.kind,
    CASE s.kind WHEN 'deposit' THEN 'deposit of ' || s.player_id ELSE s.external_id END, s.kind = 'deposit', 'applied',
    decode(md5(s.external_id), 'hex'), 'EUR', s.amount,
    ARRAY['CASH', CASE s.kind WHEN 'deposit' THEN 'PSP_CLEARING' ELSE 'HOUSE:demo' END],
    CASE s.kind WHEN 'bet' THEN ARRAY[-s.amount, s.amount] ELSE ARRAY[s.amount, -s.amount] END,
    ARRAY[s.cash, NULL], CASE WHEN s.k > 0 THEN 'dice' END, CASE WHEN s.k > 0 THEN s.round_id END, bet.id,
    json_build_object(
        'transaction', 'tx_' || replace(s.id::text, '-', ''), 'kind', s.kind, 'external_id', s.external_id,
        'currency', 'EUR', 'units', s.amount, 'funding', json_build_object('cash', s.amount, 'bonus', 0),
        'balance', json_build_object('currency', 'EUR', 'cash', s.cash, 'bonus', 0)
    )::text,
    s.at
FROM step s
LEFT JOIN step bet ON s.kind = 'rollback' AND bet.player_id = s.player_id AND bet.number = s.number - 1
ORDER BY s.number, s.player_id;

INSERT INTO provider_key (provider_id, kind, external_id, player_id)
SELECT 'cashier', 'deposit', 'deposit of ' || player_id, player_id FROM step WHERE kind = 'deposit';

INSERT INTO round (
    player_id, provider_id, scope_game, round_id, number, game_id, currency, state, is_open, stake, won, bets, wins,
    entries, opened_at, closed_at, touched_at
)
SELECT
    b.player_id, 'demo', '', b.round_id, b.number, 'dice', 'EUR', 'closed', false,
    CASE e.kind WHEN 'win' THEN b.amount ELSE 0 END, CASE e.kind WHEN 'win' THEN e.amount ELSE 0 END,
    (e.kind = 'win')::int, (e.kind = 'win')::int,
    CASE e.kind WHEN 'win' THEN ARRAY[b.number, e.number] ELSE ARRAY[b.number] END, b.at, e.at, e.at
FROM step b
JOIN step e ON e.player_id = b.player_id AND e.number = b.number + 1
WHERE b.kind = 'bet';

-- Two events for each transaction, as play has them; the account is opened before the first.
INSERT INTO outbox (lane, lane_seq, player_id, last_seq, ids, types, bodies, created_at)
SELECT
    s.lane, row_number() OVER (PARTITION BY s.lane ORDER BY s.number, s.player_id), s.player_id, 2 * s.number,
    ARRAY[e.first_id, e.last_id], ARRAY[e.first_type, e.last_type],
    ARRAY[
        json_build_object(
            'id', e.first_id, 'type', e.first_type, 'time', s.at, 'environment', 'sandbox', 'player', s.player_id,
            'seq', 2 * s.number - 1, 'transaction', NULL,
            'data', json_build_object(
                'provider', 'demo', 'game', 'dice', 'round', s.round_id, 'currency', 'EUR',
                'balance', CASE s.kind WHEN 'deposit' THEN json_build_object('currency', 'EUR', 'cash', '0.00') END
            )
        )::text,
        json_build_object(
            'id', e.last_id, 'type', e.last_type, 'time', s.at, 'environment', 'sandbox', 'player', s.player_id,
            'seq', 2 * s.number, 'transaction', 'tx_' || replace(s.id::text, '-', ''),
            'data', json_build_object(
                'provider', 'demo', 'provider_transaction_id', s.external_id, 'game', 'dice', 'round', s.round_id,
                'amount', to_char(s.amount / 1000000.0, 'FM999990.000000'), 'currency', 'EUR',
                'funding', json_build_object(
                    'cash', to_char(s.amount / 1000000.0, 'FM999990.000000'), 'bonus', '0.00'
                ),
                'balance', json_build_object(
                    'currency', 'EUR', 'cash', to_char(s.cash / 1000000.0, 'FM999990.000000'), 'bonus', '0.00',
                    'total', to_char(s.cash / 1000000.0, 'FM999990.000000')
                )
            )
        )::text
    ],
    s.at
FROM step s
CROSS JOIN LATERAL (
    SELECT
        gen_random_uuid() AS first_id, gen_random_uuid() AS last_id,
        CASE s.kind WHEN 'deposit' THEN 'wallet.account_opened' WHEN 'bet' THEN 'game.round_opened' ELSE 'game.round_closed' END
            AS first_type,
        CASE s.kind
            WHEN 'deposit' THEN 'wallet.deposit_completed'
            WHEN 'bet' THEN 'wallet.bet_debited'
            WHEN 'win' THEN 'wallet.win_credited'
            ELSE 'wallet.bet_rolled_back'
        END AS last_type
    -- Ids of each row, not of all.
    WHERE s.number > 0
) e;

UPDATE player SET last_event = 2 * last_transaction;
UPDATE lane l SET seq = o.seq FROM (SELECT lane, max(lane_seq) AS seq FROM outbox GROUP BY lane) o WHERE o.lane = l.id;
DROP TABLE step;
VACUUM ANALYZE;
