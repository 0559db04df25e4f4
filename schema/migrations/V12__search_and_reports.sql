-- Finding transactions and rounds whoever's they are, and adding them up.

-- Ids are UUIDs v7, in the order of time: one index finds a transaction, lists all of them newest first, and reads a
-- period. New ids come at its end, so a bet touches its last page alone. Not unique: that would be a check on each bet
-- for what 74 random bits see to.
CREATE INDEX ledger_by_id ON ledger (id);

-- The `seq` of a player's first event at this moment or later, by halves, as `first_number_at` finds a transaction. What
-- is no longer kept counts as earlier.
CREATE FUNCTION first_seq_at(of_player text, moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    low bigint := 1;
    high bigint := coalesce((SELECT p.last_event FROM player p WHERE p.id = of_player), 0) + 1;
    middle bigint;
BEGIN
    WHILE low < high LOOP
        middle := low + (high - low) / 2;
        IF (
            SELECT o.created_at < moment
            FROM outbox o
            WHERE o.player_id = of_player AND o.last_seq >= middle
            ORDER BY o.last_seq
            LIMIT 1
        ) THEN
            low := middle + 1;
        ELSE
            high := middle;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- Which of a player's moneys an account is; null for the accounts of the house.
CREATE FUNCTION money_of(account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN account = 'CASH' THEN 'cash'
        WHEN account = 'RECEIVABLE' THEN 'receivable'
        WHEN account LIKE 'BONUS%' THEN 'bonus'
        WHEN account LIKE 'WINNINGS%' THEN 'winnings'
        WHEN account IN ('WITHDRAWAL_HOLD', 'W_FEE_HOLD') THEN 'hold'
    END
$$;

-- A transaction as it is listed and shown.
CREATE VIEW shown_transaction AS
SELECT
    l.player_id, l.number, l.id, l.provider_id, l.kind, l.external_id, l.state, l.fingerprint, l.currency, l.amount,
    l.accounts, l.amounts::bigint[] AS amounts, l.balances_after, l.game_id, l.round_scope, l.round_id, l.names_bet, l.reverses,
    (SELECT v.id FROM ledger v WHERE v.player_id = l.player_id AND v.reverses = l.id) AS reversed_by,
    l.reply, l.refusal, l.created_at
FROM ledger l;

-- Whose play counts for nothing in reports: players that are there to test with.
CREATE VIEW test_player AS SELECT id FROM player WHERE test;
