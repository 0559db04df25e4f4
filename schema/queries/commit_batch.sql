-- Commits a batch of decisions, at most one per player, in one statement. Returns the ordinals of the entries
-- that were committed (nothing at all was written of the others), and the numbers that they have in their lanes:
-- so many after `base`, to be told apart from those of other servers.
--
-- $1 the entries, ordinals from 1 in their order; $2 their ledger rows; $3 the keys among them that must be new
-- over all players of a provider account; $4 new rounds, $5 changed ones; $6 new balances, $7 changed ones;
-- $8 new sessions, $9 changed ones. With payments it has two parts more: see `commit_payments.sql`. Arrays of rows, each read once: unnest of an array per column would store
-- each column apart.
--
-- Everything is driven by `applied`, the players whose fenced row was moved. Other shapes lose money: a guard
-- beside the update pays twice on a repeat, ledger-first leaves orphans when two owners race. A player's own
-- keys and rounds need no look-up here: whoever stored one since has also moved the fence. The unique keys
-- stand behind that, as behind two entries of one batch that want the same key.
WITH
-- Another player's commit moves no fence of ours. A hashed subplan, (..) IN (..) IS TRUE: as a join it would be a
-- nested loop, with hash and merge joins off.
conflict AS MATERIALIZED (
    SELECT n.ord
    FROM unnest($3::commit_key[]) n
    JOIN provider_key k ON k.provider_id = n.provider_id AND k.kind = n.kind AND k.external_id = n.external_id
),
applied AS (
    UPDATE player p
    SET version = e.version + 1, last_transaction = e.last_transaction, last_event = e.last_event,
        status = e.status
    FROM unnest($1::commit_entry[]) e
    WHERE p.id = e.player_id AND p.version = e.version AND p.lane = e.lane
        AND (e.ord IN (SELECT c.ord FROM conflict c)) IS NOT TRUE
    RETURNING e.ord, p.lane, e.player_id, e.last_event, e.event_ids, e.event_types, e.event_bodies, e.at
),
-- For each ordinal whether it was applied: everything below asks by subscript.
outcome AS MATERIALIZED (
    SELECT array_agg((ord IN (SELECT a.ord FROM applied a)) IS TRUE ORDER BY ord) AS is_applied
    FROM generate_series(1, cardinality($1::commit_entry[])) AS ord
),
new_record AS (
    INSERT INTO ledger (
        player_id, number, id, provider_id, kind, external_id, provider_wide, state, fingerprint, currency,
        amount, accounts, amounts, balances_after, game_id, round_scope, round_id, names_bet, reverses, reply,
        refusal, created_at
    )
    SELECT
        r.player_id, r.number, r.id, r.provider_id, r.kind, r.external_id, r.provider_wide, r.state, r.fingerprint,
        r.currency, r.amount, r.accounts, r.amounts, r.balances_after, r.game_id, r.round_scope, r.round_id,
        r.names_bet, r.reverses, r.reply, r.refusal, r.created_at
    FROM unnest($2::commit_record[]) r
    WHERE (SELECT o.is_applied FROM outcome o)[r.ord]
),
new_provider_key AS (
    INSERT INTO provider_key (provider_id, kind, external_id, player_id)
    SELECT n.provider_id, n.kind, n.external_id, n.player_id
    FROM unnest($3::commit_key[]) n
    WHERE (SELECT o.is_applied FROM outcome o)[n.ord]
    ORDER BY n.provider_id, n.kind, n.external_id
),
new_round AS (
    INSERT INTO round (
        player_id, provider_id, scope_game, round_id, number, game_id, currency, state, is_open, stake, won, bets,
        wins, entries, opened_at, closed_at, touched_at
    )
    SELECT
        c.player_id, c.provider_id, c.scope_game, c.round_id, c.number, c.game_id, c.currency, c.state, c.is_open,
        c.stake, c.won, c.bets, c.wins, c.entries, c.opened_at, c.closed_at, c.touched_at
    FROM unnest($4::commit_round[]) c
    WHERE (SELECT o.is_applied FROM outcome o)[c.ord]
),
old_round AS (
    UPDATE round o
    SET state = c.state, is_open = c.is_open, stake = c.stake, won = c.won, bets = c.bets, wins = c.wins,
        entries = o.entries || c.entries, closed_at = c.closed_at, touched_at = c.touched_at
    FROM unnest($5::commit_round[]) c
    WHERE o.player_id = c.player_id AND o.provider_id = c.provider_id
        AND o.scope_game = c.scope_game AND o.round_id = c.round_id
        AND (SELECT o.is_applied FROM outcome o)[c.ord]
),
new_balance AS (
    INSERT INTO balance (player_id, currency, account, amount)
    SELECT b.player_id, b.currency, b.account, b.amount
    FROM unnest($6::commit_balance[]) b
    WHERE (SELECT o.is_applied FROM outcome o)[b.ord]
),
old_balance AS (
    UPDATE balance o
    SET amount = b.amount
    FROM unnest($7::commit_balance[]) b
    WHERE o.player_id = b.player_id AND o.currency = b.currency AND o.account = b.account
        AND (SELECT o.is_applied FROM outcome o)[b.ord]
),
new_session AS (
    INSERT INTO session (
        player_id, id, kind, currency, provider_id, game_id, token_hash, token_expires_at, expires_at, ended_at,
        created_at, login_id, idle_s, absolute_until, last_active_at, end_reason, address, user_agent
    )
    SELECT
        s.player_id, s.id, s.kind, s.currency, s.provider_id, s.game_id, s.token_hash, s.token_expires_at,
        s.expires_at, s.ended_at, s.last_active_at, s.login_id, s.idle_s, s.absolute_until, s.last_active_at,
        s.end_reason, s.address, s.user_agent
    FROM unnest($8::commit_session[]) s
    WHERE (SELECT o.is_applied FROM outcome o)[s.ord]
),
old_session AS (
    UPDATE session o
    SET token_expires_at = s.token_expires_at, expires_at = s.expires_at, last_active_at = s.last_active_at,
        ended_at = s.ended_at, end_reason = s.end_reason
    FROM unnest($9::commit_session[]) s
    WHERE o.player_id = s.player_id AND o.id = s.id
        AND (SELECT o.is_applied FROM outcome o)[s.ord]
),
-- <payments>
-- Last, because this lock is shared by many players and held to the commit; in the order of lanes, because
-- other writers may hold some of them.
lane_step AS (
    UPDATE lane l
    SET seq = l.seq + s.decisions
    FROM (
        SELECT a.lane, count(*) AS decisions
        FROM applied a
        WHERE cardinality(a.event_ids) > 0
        GROUP BY a.lane
        ORDER BY a.lane
    ) s
    WHERE l.id = s.lane
    RETURNING l.id AS lane, l.seq - s.decisions AS base, s.decisions
),
-- Materialized: joined to the lanes as it is, it would be sorted and numbered again for each lane.
numbered AS MATERIALIZED (
    SELECT a.*, row_number() OVER (PARTITION BY a.lane ORDER BY a.ord) AS step
    FROM applied a
    WHERE cardinality(a.event_ids) > 0
),
new_outbox AS (
    INSERT INTO outbox (lane, lane_seq, player_id, last_seq, ids, types, bodies, created_at)
    SELECT
        n.lane, s.base + n.step, n.player_id, n.last_event, n.event_ids, n.event_types, n.event_bodies, n.at
    FROM numbered n
    JOIN lane_step s ON s.lane = n.lane
)
SELECT a.ord, NULL::int2 AS lane, NULL::int8 AS base, NULL::int8 AS decisions FROM applied a
UNION ALL
SELECT NULL, s.lane, s.base, s.decisions FROM lane_step s
