-- Commits a batch of decisions, at most one per player, in one statement. Returns the ordinals of the entries
-- that were committed; nothing at all was written of the others.
--
-- Everything is driven by `applied`, the players whose fenced row was moved. Other shapes lose money: a guard
-- beside the update pays twice on a repeat, ledger-first leaves orphans when two owners race.
--
-- `(ord IN (SELECT ..)) IS TRUE` is a hashed subplan: the planner does not turn it into a join, which with
-- hash and merge joins off would be a nested loop over entries times rows.
WITH
entry AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::int4[], $2::text[], $3::int2[], $4::int8[], $5::int8[], $6::int8[], $7::text[], $8::int4[],
        $9::timestamptz[]
    ) AS e (ord, player_id, lane, version, last_transaction, last_event, status, events, at)
),
record AS MATERIALIZED (
    SELECT * FROM unnest(
        $10::int4[], $11::text[], $12::int8[], $13::uuid[], $14::text[], $15::text[], $16::text[], $17::bool[],
        $18::text[], $19::bytea[], $20::text[], $21::int8[], $22::text[], $23::text[], $24::text[], $25::text[],
        $26::uuid[], $27::text[], $28::text[], $29::timestamptz[]
    ) AS r (
        ord, player_id, number, id, provider_id, kind, external_id, provider_wide,
        state, fingerprint, currency, amount, game_id, round_scope, round_id, names_bet,
        reverses, reply, refusal, created_at
    )
),
round_change AS MATERIALIZED (
    SELECT * FROM unnest(
        $30::int4[], $31::text[], $32::text[], $33::text[], $34::text[], $35::int8[], $36::text[], $37::text[],
        $38::text[], $39::int8[], $40::int8[], $41::int4[], $42::int4[], $43::timestamptz[], $44::timestamptz[],
        $45::timestamptz[], $46::bool[]
    ) AS c (
        ord, player_id, provider_id, scope_game, round_id, number, game_id, currency,
        state, stake, won, bets, wins, opened_at, closed_at,
        touched_at, is_new
    )
),
balance_change AS MATERIALIZED (
    SELECT * FROM unnest($47::int4[], $48::text[], $49::text[], $50::text[], $51::int8[], $52::bool[])
        AS b (ord, player_id, currency, account, amount, is_new)
),
session_change AS MATERIALIZED (
    SELECT * FROM unnest(
        $53::int4[], $54::text[], $55::uuid[], $56::text[], $57::text[], $58::text[], $59::text[], $60::bytea[],
        $61::timestamptz[], $62::timestamptz[], $63::timestamptz[]
    ) AS s (
        ord, player_id, id, kind, currency, provider_id, game_id, token_hash,
        token_expires_at, expires_at, ended_at
    )
),
-- Entries with a key that is taken, or a round that should be new and is not.
conflict AS MATERIALIZED (
    SELECT r.ord
    FROM record r
    JOIN ledger l ON l.player_id = r.player_id AND l.provider_id = r.provider_id
        AND l.kind = r.kind AND l.external_id = r.external_id
    UNION ALL
    SELECT r.ord
    FROM record r
    JOIN provider_key k ON k.provider_id = r.provider_id AND k.kind = r.kind AND k.external_id = r.external_id
    WHERE r.provider_wide
    UNION ALL
    SELECT c.ord
    FROM round_change c
    JOIN round o ON o.player_id = c.player_id AND o.provider_id = c.provider_id
        AND o.scope_game = c.scope_game AND o.round_id = c.round_id
    WHERE c.is_new
),
applied AS (
    UPDATE player p
    SET version = e.version + 1, last_transaction = e.last_transaction, last_event = e.last_event,
        status = e.status
    FROM entry e
    WHERE p.id = e.player_id AND p.version = e.version AND p.lane = e.lane
        AND (e.ord IN (SELECT c.ord FROM conflict c)) IS NOT TRUE
    RETURNING e.ord, p.lane, e.events
),
new_record AS (
    INSERT INTO ledger (
        player_id, number, id, provider_id, kind, external_id, provider_wide, state, fingerprint, currency,
        amount, game_id, round_scope, round_id, names_bet, reverses, reply, refusal, created_at
    )
    SELECT
        r.player_id, r.number, r.id, r.provider_id, r.kind, r.external_id, r.provider_wide, r.state, r.fingerprint,
        r.currency, r.amount, r.game_id, r.round_scope, r.round_id, r.names_bet, r.reverses, r.reply, r.refusal,
        coalesce(r.created_at, now())
    FROM record r
    WHERE (r.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
new_provider_key AS (
    INSERT INTO provider_key (provider_id, kind, external_id, player_id)
    SELECT r.provider_id, r.kind, r.external_id, r.player_id
    FROM record r
    WHERE r.provider_wide AND (r.ord IN (SELECT a.ord FROM applied a)) IS TRUE
    ORDER BY r.provider_id, r.kind, r.external_id
),
new_posting AS (
    INSERT INTO posting (player_id, number, line, currency, account, amount, balance_after)
    SELECT p.player_id, p.number, p.line, p.currency, p.account, p.amount, p.balance_after
    FROM unnest(
        $64::int4[], $65::text[], $66::int8[], $67::int2[], $68::text[], $69::text[], $70::int8[], $71::int8[]
    ) AS p (ord, player_id, number, line, currency, account, amount, balance_after)
    WHERE (p.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
new_round AS (
    INSERT INTO round (
        player_id, provider_id, scope_game, round_id, number, game_id, currency, state, stake, won, bets, wins,
        opened_at, closed_at, touched_at
    )
    SELECT
        c.player_id, c.provider_id, c.scope_game, c.round_id, c.number, c.game_id, c.currency, c.state, c.stake,
        c.won, c.bets, c.wins, c.opened_at, c.closed_at, coalesce(c.touched_at, now())
    FROM round_change c
    WHERE c.is_new AND (c.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
old_round AS (
    UPDATE round o
    SET state = c.state, stake = c.stake, won = c.won, bets = c.bets, wins = c.wins,
        closed_at = c.closed_at, touched_at = coalesce(c.touched_at, now())
    FROM round_change c
    WHERE o.player_id = c.player_id AND o.provider_id = c.provider_id
        AND o.scope_game = c.scope_game AND o.round_id = c.round_id
        AND NOT c.is_new AND (c.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
new_balance AS (
    INSERT INTO balance (player_id, currency, account, amount)
    SELECT b.player_id, b.currency, b.account, b.amount
    FROM balance_change b
    WHERE b.is_new AND (b.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
old_balance AS (
    UPDATE balance o
    SET amount = b.amount
    FROM balance_change b
    WHERE o.player_id = b.player_id AND o.currency = b.currency AND o.account = b.account
        AND NOT b.is_new AND (b.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
new_session AS (
    INSERT INTO session (
        player_id, id, kind, currency, provider_id, game_id, token_hash, token_expires_at, expires_at, ended_at,
        created_at
    )
    SELECT
        s.player_id, s.id, s.kind, s.currency, s.provider_id, s.game_id, s.token_hash, s.token_expires_at,
        s.expires_at, s.ended_at, now()
    FROM session_change s
    WHERE s.token_hash IS NOT NULL AND (s.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
old_session AS (
    UPDATE session o
    SET token_expires_at = s.token_expires_at, expires_at = s.expires_at, ended_at = s.ended_at
    FROM session_change s
    WHERE o.player_id = s.player_id AND o.id = s.id
        AND s.token_hash IS NULL AND (s.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
-- Last, because this lock is shared by many players and held to the commit; in the order of lanes, because
-- other writers may hold some of them.
lane_step AS (
    UPDATE lane l
    SET seq = l.seq + s.events
    FROM (
        SELECT a.lane, sum(a.events)::int8 AS events
        FROM applied a
        WHERE a.events > 0
        GROUP BY a.lane
        ORDER BY a.lane
    ) s
    WHERE l.id = s.lane
    RETURNING l.id AS lane, l.seq - s.events AS base
),
-- Materialized: joined to the lanes as it is, it would be sorted and numbered again for each lane.
numbered_event AS MATERIALIZED (
    SELECT e.*, row_number() OVER (PARTITION BY e.lane ORDER BY e.position) AS step
    FROM unnest(
        $72::int4[], $73::int2[], $74::uuid[], $75::text[], $76::int8[], $77::text[], $78::timestamptz[],
        $79::text[]
    ) WITH ORDINALITY AS e (ord, lane, id, player_id, seq, type, created_at, body, position)
    WHERE (e.ord IN (SELECT a.ord FROM applied a)) IS TRUE
),
new_event AS (
    INSERT INTO event (lane, lane_seq, id, player_id, seq, type, created_at, body)
    SELECT n.lane, s.base + n.step, n.id, n.player_id, n.seq, n.type, n.created_at, n.body
    FROM numbered_event n
    JOIN lane_step s ON s.lane = n.lane
)
SELECT a.ord FROM applied a
