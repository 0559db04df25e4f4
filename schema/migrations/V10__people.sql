-- Players as the operator knows them, statements, and what two persons decide.

-- `blocked` means what it always did, and more: no login, launch, bet or deposit.
ALTER DOMAIN player_status DROP CONSTRAINT player_status_check;
ALTER DOMAIN player_status ADD CONSTRAINT player_status_check
    CHECK (VALUE IN ('active', 'bets_blocked', 'blocked', 'closed'));

-- A test account: no report counts it. Fixed when the player is created.
ALTER TABLE player ADD COLUMN test boolean NOT NULL DEFAULT false;
-- A list has an order and the filter that leads; whatever else it asks for is filtered on the way.
CREATE INDEX player_by_creation ON player (created_at, id);
CREATE INDEX player_by_status ON player (status, created_at, id);
CREATE INDEX player_by_country ON player (country, created_at, id);
CREATE INDEX player_of_test ON player (created_at, id) WHERE test;

-- What the operator tells of a player. Apart from `player`, whose row every bet writes anew.
CREATE TABLE player_profile (
    player_id text COLLATE "C" PRIMARY KEY REFERENCES player (id),
    -- A language tag, such as `pt-BR`.
    language  text,
    -- JSON: an object of texts.
    labels    text NOT NULL DEFAULT '{}'
);

-- The number of a player's first transaction at or after a moment; one more than his newest if there is none.
--
-- Goes down the bits of the number, the highest first: it looks at a transaction for each bit, however many there
-- are. What comes later never changes an answer about the past, so that two statements side by side have each
-- transaction once, even if the clocks of two servers put some of them a little out of order.
CREATE FUNCTION first_number_at(of_player text, moment timestamptz) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
    newest bigint;
    step   bigint := 1;
    before bigint := 0;
    found  timestamptz;
BEGIN
    SELECT p.last_transaction INTO newest FROM player p WHERE p.id = of_player;
    WHILE step <= newest / 2 LOOP
        step := step * 2;
    END LOOP;
    WHILE step > 0 LOOP
        IF before + step <= newest THEN
            -- An equality, told as an order that only the primary key has: see `round_document`.
            SELECT l.created_at INTO found
            FROM ledger l
            WHERE l.player_id = of_player AND l.number >= before + step AND l.number <= before + step
            ORDER BY l.number
            LIMIT 1;
            IF found < moment THEN
                before := before + step;
            END IF;
        END IF;
        step := step / 2;
    END LOOP;
    RETURN before + 1;
END $$;

-- Debts are rare: the newest one before a moment must not be looked for among everything else.
CREATE INDEX ledger_of_debts ON ledger (player_id, number) WHERE 'RECEIVABLE' = ANY (accounts);

-- What one person asked for and another has to approve.
CREATE TABLE approval (
    -- The external id of the transaction that carries it out: it is carried out once.
    id          uuid        PRIMARY KEY,
    kind        text        COLLATE "C" NOT NULL CHECK (kind IN ('adjustment', 'void_round')),
    -- `executing`: approved, and what came of it is not written down yet.
    state       text        COLLATE "C" NOT NULL
        CHECK (state IN ('pending', 'executing', 'approved', 'failed', 'rejected', 'expired')),
    player_id   text        COLLATE "C" NOT NULL,
    -- JSON: what is asked for.
    payload     text        NOT NULL,
    maker_key   uuid        NOT NULL,
    maker       text        NOT NULL,
    -- Through whose hands the maker's key went: none of them may decide.
    maker_hands text[]      NOT NULL,
    -- Who approved or rejected it; none where one person was enough.
    checker_key uuid,
    checker     text,
    -- Why it was rejected.
    reason      text,
    -- JSON: why it could not be carried out.
    failure     text,
    transaction_id uuid,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    decided_at  timestamptz,
    finished_at timestamptz,
    CONSTRAINT a_checker_is_a_person_with_a_key CHECK ((checker IS NULL) = (checker_key IS NULL)),
    CONSTRAINT what_is_pending_is_undecided CHECK ((state = 'pending') = (decided_at IS NULL)),
    CONSTRAINT what_is_approved_has_moved CHECK ((state = 'approved') = (transaction_id IS NOT NULL)),
    CONSTRAINT what_failed_tells_why CHECK ((state = 'failed') = (failure IS NOT NULL))
);
CREATE INDEX approval_by_creation ON approval (created_at, id);
CREATE INDEX approval_by_state ON approval (state, created_at, id);
CREATE INDEX approval_by_player ON approval (player_id, created_at, id);
CREATE INDEX approval_due ON approval (expires_at) WHERE state = 'pending';
CREATE INDEX approval_unfinished ON approval (decided_at) WHERE state = 'executing';
