-- The ledger of one environment.
--
-- Every row of a player leads with his id, so that the work of a bet does not grow with the ledger and the
-- database can be sharded by player. Text keys are COLLATE "C": compared as bytes, the same on every machine
-- and after every upgrade of its locale data.

-- What was fixed when the database was installed. One row.
CREATE TABLE install (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    -- A player's lane is hash(id) mod lanes and kept on his row: the number cannot change afterwards.
    lanes       smallint    NOT NULL CHECK (lanes BETWEEN 1 AND 1024),
    -- Names this database's history: resume offsets of another incarnation mean nothing here.
    incarnation uuid        NOT NULL DEFAULT gen_random_uuid(),
    created_at  timestamptz NOT NULL DEFAULT now()
);

-- The newest number of each lane. Its row lock, held to the commit, is what makes a lane's numbers
-- contiguous and in commit order.
CREATE TABLE lane (
    id  smallint PRIMARY KEY,
    seq bigint   NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

-- Who publishes a lane, and how far he came. Apart from `lane`, so that a checkpoint never waits for a
-- commit and a commit never for a checkpoint.
CREATE TABLE lane_publisher (
    lane        smallint    PRIMARY KEY REFERENCES lane (id),
    published   bigint      NOT NULL DEFAULT 0,
    epoch       bigint      NOT NULL DEFAULT 0,
    owner       uuid,
    lease_until timestamptz NOT NULL DEFAULT '-infinity'
) WITH (fillfactor = 10);

-- The row is the fence: a commit succeeds only on the version that it was decided on.
CREATE TABLE player (
    id               text        COLLATE "C" PRIMARY KEY,
    lane             smallint    NOT NULL REFERENCES lane (id),
    version          bigint      NOT NULL DEFAULT 0,
    last_transaction bigint      NOT NULL DEFAULT 0,
    last_event       bigint      NOT NULL DEFAULT 0,
    status           text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked')),
    country          text,
    created_at       timestamptz NOT NULL DEFAULT now()
) WITH (fillfactor = 70);

CREATE TABLE balance (
    player_id text   COLLATE "C" NOT NULL,
    currency  text   COLLATE "C" NOT NULL,
    account   text   COLLATE "C" NOT NULL,
    -- Ledger units, as every amount below.
    amount    bigint NOT NULL,
    PRIMARY KEY (player_id, currency, account),
    CONSTRAINT only_receivable_is_owed CHECK (amount >= 0 OR account = 'RECEIVABLE')
) WITH (fillfactor = 70);

CREATE TABLE ledger (
    player_id     text        COLLATE "C" NOT NULL,
    -- Gap-free per player, from 1.
    number        bigint      NOT NULL,
    id            uuid        NOT NULL,
    provider_id   text        COLLATE "C" NOT NULL,
    kind          text        COLLATE "C" NOT NULL,
    external_id   text        COLLATE "C" NOT NULL,
    -- The external id belongs to one player of the whole provider account: see provider_key.
    provider_wide boolean     NOT NULL,
    state         text        COLLATE "C" NOT NULL CHECK (state IN ('applied', 'tombstone', 'refused')),
    fingerprint   bytea       NOT NULL,
    currency      text        COLLATE "C",
    amount        bigint,
    game_id       text        COLLATE "C",
    -- The game, where the provider's round ids are unique within a game only; '' where they are its own.
    round_scope   text        COLLATE "C" NOT NULL DEFAULT '',
    round_id      text        COLLATE "C",
    names_bet     text        COLLATE "C",
    reverses      uuid,
    -- Text, never jsonb, which would reorder it: a repeat is answered to the byte.
    reply         text        NOT NULL,
    refusal       text,
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (player_id, number),
    CONSTRAINT one_key_one_movement UNIQUE (player_id, provider_id, kind, external_id),
    CHECK ((currency IS NULL) = (amount IS NULL))
);

-- The entries of a round, in the order in which they were accepted.
CREATE INDEX ledger_by_round ON ledger (player_id, provider_id, round_scope, round_id, number)
    WHERE round_id IS NOT NULL AND kind IN ('bet', 'win');
CREATE UNIQUE INDEX ledger_reversed_once ON ledger (player_id, reverses) WHERE reverses IS NOT NULL;

-- External ids that are unique over all players of a provider account.
CREATE TABLE provider_key (
    provider_id text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    player_id   text COLLATE "C" NOT NULL,
    PRIMARY KEY (provider_id, kind, external_id)
);

CREATE TABLE posting (
    player_id     text     COLLATE "C" NOT NULL,
    number        bigint   NOT NULL,
    line          smallint NOT NULL,
    currency      text     COLLATE "C" NOT NULL,
    account       text     COLLATE "C" NOT NULL,
    amount        bigint   NOT NULL,
    -- Player accounts only: house balances are derived.
    balance_after bigint,
    PRIMARY KEY (player_id, number, line),
    CONSTRAINT only_receivable_is_owed CHECK (balance_after >= 0 OR account = 'RECEIVABLE')
);

CREATE TABLE round (
    player_id   text        COLLATE "C" NOT NULL,
    provider_id text        COLLATE "C" NOT NULL,
    scope_game  text        COLLATE "C" NOT NULL,
    round_id    text        COLLATE "C" NOT NULL,
    -- That of the transaction which opened the round: orders a player's rounds, and never changes.
    number      bigint      NOT NULL,
    game_id     text        COLLATE "C" NOT NULL,
    currency    text        COLLATE "C" NOT NULL,
    state       text        COLLATE "C" NOT NULL CHECK (state IN ('open', 'interrupted', 'closed', 'voided')),
    is_open     boolean     NOT NULL GENERATED ALWAYS AS (state IN ('open', 'interrupted')) STORED,
    -- Bets and wins that stand, in ledger units and as counts.
    stake       bigint      NOT NULL,
    won         bigint      NOT NULL,
    bets        integer     NOT NULL,
    wins        integer     NOT NULL,
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz,
    touched_at  timestamptz NOT NULL,
    PRIMARY KEY (player_id, provider_id, scope_game, round_id)
) WITH (fillfactor = 85);

-- Serves the load of a player (his open rounds) and lists of rounds alike. It does not lead with the player, or
-- the planner would take it, on an empty table, for a look-up of one round among all that he ever had.
CREATE INDEX round_by_player ON round (is_open, player_id, number);
-- For the sweeper. By opening, not by the last movement, which would make every bet an index change.
CREATE INDEX round_overdue ON round (provider_id, opened_at) WHERE is_open;

CREATE TABLE session (
    player_id        text        COLLATE "C" NOT NULL,
    id               uuid        NOT NULL,
    kind             text        NOT NULL CHECK (kind IN ('player', 'game')),
    currency         text        NOT NULL,
    provider_id      text        COLLATE "C",
    game_id          text        COLLATE "C",
    -- SHA-256 of the token; the token itself is nowhere.
    token_hash       bytea       NOT NULL CONSTRAINT one_token_one_session UNIQUE,
    token_expires_at timestamptz,
    expires_at       timestamptz NOT NULL,
    ended_at         timestamptz,
    created_at       timestamptz NOT NULL,
    PRIMARY KEY (player_id, id)
);
CREATE INDEX session_live ON session (player_id, expires_at) WHERE ended_at IS NULL;

-- The outbox and the store of events in one.
CREATE TABLE event (
    lane       smallint    NOT NULL,
    lane_seq   bigint      NOT NULL,
    id         uuid        NOT NULL,
    player_id  text        COLLATE "C" NOT NULL,
    -- Gap-free per player, from 1.
    seq        bigint      NOT NULL,
    type       text        COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    body       text        NOT NULL,
    PRIMARY KEY (lane, lane_seq),
    CONSTRAINT one_seq_one_event UNIQUE (player_id, seq)
);

-- A correction is a new transaction. Nothing that happened is ever changed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Retention may drop old events one day; nothing may rewrite one.
CREATE TRIGGER append_only BEFORE UPDATE ON event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A round as the wallet reads it: one JSON document, its entries with what was taken back of them.
CREATE VIEW round_document AS
SELECT
    r.player_id, r.provider_id, r.scope_game, r.round_id, r.number, r.is_open,
    json_build_object(
        'provider', r.provider_id,
        'scope_game', r.scope_game,
        'round', r.round_id,
        'game', r.game_id,
        'currency', r.currency,
        'state', r.state,
        'opened_at', (extract(epoch FROM r.opened_at) * 1000000)::bigint,
        'closed_at', (extract(epoch FROM r.closed_at) * 1000000)::bigint,
        'entries', (
            SELECT coalesce(json_agg(json_build_object(
                'transaction', l.id,
                'kind', l.kind,
                'external_id', l.external_id,
                'units', l.amount,
                'funding', l.reply::json -> 'funding',
                'names_bet', l.names_bet,
                -- Voiding takes back whatever still stood, in one transaction that names no entry.
                'reversed_units', CASE WHEN r.state = 'voided' THEN l.amount ELSE (
                    SELECT v.amount FROM ledger v WHERE v.player_id = l.player_id AND v.reverses = l.id
                ) END
            ) ORDER BY l.number), '[]'::json)
            FROM ledger l
            WHERE l.player_id = r.player_id AND l.provider_id = r.provider_id
                AND l.round_scope = r.scope_game AND l.round_id = r.round_id
                AND l.kind IN ('bet', 'win') AND l.state = 'applied'
        )
    ) AS document
FROM round r;
