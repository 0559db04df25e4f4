-- Deposits that payment providers carry out, and withdrawals.

-- A payment as it stands; what it moved is in the ledger. Of one player like everything that he has: his fence orders
-- all that is done about it.
CREATE TABLE payment (
    player_id  text        COLLATE "C" NOT NULL,
    -- That of the transaction that began it, a UUID v7: in the order of time.
    id         uuid        NOT NULL,
    kind       text        COLLATE "C" NOT NULL CHECK (kind IN ('deposit', 'withdrawal')),
    state      text        COLLATE "C" NOT NULL,
    -- The operator's own id.
    reference  text        COLLATE "C" NOT NULL,
    currency   text        COLLATE "C" NOT NULL,
    -- Ledger units. What the player pays for a withdrawal is besides the amount.
    amount     bigint      NOT NULL CHECK (amount > 0),
    fee        bigint      NOT NULL CHECK (fee >= 0),
    -- When its time is over, while it waits for something.
    due_at     timestamptz,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    -- JSON text: all of it, as the wallet reads it.
    document   text        NOT NULL,
    PRIMARY KEY (player_id, id)
) WITH (fillfactor = 85);
-- Lists are newest first; the payout worker and the sweeper take the oldest.
CREATE INDEX payment_by_id ON payment (kind, id);
CREATE INDEX payment_by_state ON payment (kind, state, id);
CREATE INDEX payment_by_reference ON payment (kind, reference, id);
CREATE INDEX payment_due ON payment (due_at) WHERE due_at IS NOT NULL;

-- The rows that `queries/commit_payments.sql` takes: see the types in V1.
CREATE TYPE commit_payment AS (
    ord integer, player_id text, id uuid, kind text, state text, reference text, currency text, amount bigint, fee bigint,
    due_at timestamptz, created_at timestamptz, changed_at timestamptz, document text
);

-- What was sent is still owed to the player until it is known to be paid.
CREATE OR REPLACE FUNCTION money_of(account text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE
        WHEN account = 'CASH' THEN 'cash'
        WHEN account = 'RECEIVABLE' THEN 'receivable'
        WHEN account LIKE 'BONUS%' THEN 'bonus'
        WHEN account LIKE 'WINNINGS%' THEN 'winnings'
        WHEN account IN ('WITHDRAWAL_HOLD', 'W_FEE_HOLD', 'PSP_TRANSIT') THEN 'hold'
    END
$$;
