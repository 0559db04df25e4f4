-- The ledger of one environment.
--
-- Every row of a player leads with his id, so that the work of a bet does not grow with the ledger and the
-- database can be sharded by player. Text keys are COLLATE "C": compared as bytes, the same on every machine
-- and after every upgrade of its locale data.

-- Closed sets are domains: Postgres reads a table's CHECKs anew for every statement, a domain's once per session.
CREATE DOMAIN player_status AS text CHECK (VALUE IN ('active', 'blocked'));
CREATE DOMAIN ledger_state AS text COLLATE "C" CHECK (VALUE IN ('applied', 'tombstone', 'refused'));
CREATE DOMAIN round_state AS text COLLATE "C" CHECK (VALUE IN ('open', 'interrupted', 'closed', 'voided'));

-- INV-1: none, or two and more that sum to zero. PL/pgSQL here and below, for it is not inlined: the usual two
-- postings never get as far as the call, and inlining would parse it for every statement.
CREATE FUNCTION amounts_sum_to_zero(amounts bigint[]) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (SELECT count(*) > 1 AND count(a) = count(*) AND sum(a) = 0 FROM unnest(amounts) a);
END $$;
CREATE DOMAIN zero_sum AS bigint[] CONSTRAINT sums_to_zero CHECK (
    CASE cardinality(VALUE)
        WHEN 2 THEN (VALUE[1] + VALUE[2] = 0) IS TRUE
        WHEN 0 THEN true
        ELSE amounts_sum_to_zero(VALUE)
    END
);

-- INV-3 for any postings; see `only_receivable_is_owed` of the ledger.
CREATE FUNCTION nothing_is_owed(accounts text[], balances_after bigint[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (
        SELECT bool_and(b IS NULL OR b >= 0 OR coalesce(a = 'RECEIVABLE', false))
        FROM unnest(accounts, balances_after) AS p (a, b)
    );
END $$;

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
    status           player_status NOT NULL DEFAULT 'active',
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
    state         ledger_state NOT NULL,
    fingerprint   bytea       NOT NULL,
    currency      text        COLLATE "C",
    amount        bigint,
    -- The postings, an element each: see the view `posting`. None when nothing moves.
    accounts      text[]      COLLATE "C" NOT NULL DEFAULT '{}',
    amounts       zero_sum    NOT NULL DEFAULT '{}',
    -- Player accounts only: house balances are derived, their elements are null.
    balances_after bigint[]   NOT NULL DEFAULT '{}',
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
    -- One currency for the amount and for all postings.
    CONSTRAINT currency_is_told CHECK (
        (currency IS NULL) = (amount IS NULL) AND (currency IS NOT NULL OR cardinality(accounts) = 0)
    ),
    CONSTRAINT postings_are_whole CHECK (
        cardinality(accounts) = cardinality(amounts) AND cardinality(accounts) = cardinality(balances_after)
    ),
    -- House accounts have no balance here: null, which is not false.
    CONSTRAINT only_receivable_is_owed CHECK (
        (0 <= ALL (balances_after)) IS NOT FALSE OR nothing_is_owed(accounts, balances_after)
    )
);
CREATE UNIQUE INDEX ledger_reversed_once ON ledger (player_id, reverses) WHERE reverses IS NOT NULL;

-- External ids that are unique over all players of a provider account.
CREATE TABLE provider_key (
    provider_id text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    player_id   text COLLATE "C" NOT NULL,
    PRIMARY KEY (provider_id, kind, external_id)
);

-- Double entry, a row for each posting.
CREATE VIEW posting AS
SELECT l.player_id, l.number, p.line::smallint AS line, l.currency, p.account, p.amount, p.balance_after
FROM ledger l
CROSS JOIN LATERAL unnest(l.accounts, l.amounts, l.balances_after)
    WITH ORDINALITY AS p (account, amount, balance_after, line);

CREATE TABLE round (
    player_id   text        COLLATE "C" NOT NULL,
    provider_id text        COLLATE "C" NOT NULL,
    scope_game  text        COLLATE "C" NOT NULL,
    round_id    text        COLLATE "C" NOT NULL,
    -- That of the transaction which opened the round: orders a player's rounds, and never changes.
    number      bigint      NOT NULL,
    game_id     text        COLLATE "C" NOT NULL,
    currency    text        COLLATE "C" NOT NULL,
    state       round_state NOT NULL,
    -- Open or interrupted. Not generated, which Postgres would plan anew for every statement.
    is_open     boolean     NOT NULL,
    -- Bets and wins that stand, in ledger units and as counts.
    stake       bigint      NOT NULL,
    won         bigint      NOT NULL,
    bets        integer     NOT NULL,
    wins        integer     NOT NULL,
    -- The ledger numbers of its bets and wins, in the order in which they were accepted.
    entries     bigint[]    NOT NULL,
    opened_at   timestamptz NOT NULL,
    closed_at   timestamptz,
    touched_at  timestamptz NOT NULL,
    PRIMARY KEY (player_id, provider_id, scope_game, round_id)
) WITH (fillfactor = 85);

-- Serves the load of a player (his open rounds), lists of rounds and the sweeper (all open rounds) alike. It does not lead with the player, or
-- the planner would take it, on an empty table, for a look-up of one round among all that he ever had.
CREATE INDEX round_by_player ON round (is_open, player_id, number);

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

-- The outbox and the store of events in one: a row for each decision that has events.
CREATE TABLE outbox (
    lane       smallint    NOT NULL,
    -- Gap-free per lane, from 1.
    lane_seq   bigint      NOT NULL,
    player_id  text        COLLATE "C" NOT NULL,
    -- Of the row's last event; a player's events are gap-free from 1.
    last_seq   bigint      NOT NULL,
    -- The events, an element each: see the view `event`.
    ids        uuid[]      NOT NULL,
    types      text[]      COLLATE "C" NOT NULL,
    bodies     text[]      NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (lane, lane_seq),
    CONSTRAINT one_seq_one_event UNIQUE (player_id, last_seq)
-- To compress a row of a few events costs more than to commit it.
) WITH (toast_tuple_target = 8160);

-- A row for each event.
CREATE VIEW event AS
SELECT
    o.lane, o.lane_seq, e.id, o.player_id, o.last_seq - cardinality(o.ids) + e.position AS seq, e.type, o.created_at,
    e.body
FROM outbox o
CROSS JOIN LATERAL unnest(o.ids, o.types, o.bodies) WITH ORDINALITY AS e (id, type, body, position);

-- A correction is a new transaction. Nothing that happened is ever changed.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON provider_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
-- Retention may drop old events one day; nothing may rewrite one.
CREATE TRIGGER append_only BEFORE UPDATE ON outbox
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
                'reply', l.reply,
                'names_bet', l.names_bet,
                -- Voiding takes back whatever still stood, in one transaction that names no entry.
                'reversed_units', CASE WHEN r.state = 'voided' THEN l.amount ELSE (
                    SELECT v.amount FROM ledger v WHERE v.player_id = l.player_id AND v.reverses = l.id
                ) END
            ) ORDER BY e.position), '[]'::json)
            FROM unnest(r.entries) WITH ORDINALITY AS e (number, position)
            -- An equality, told as an order that only the primary key has: for `=` the planner would take, on an
            -- empty table, any index that begins with the player.
            CROSS JOIN LATERAL (
                SELECT *
                FROM ledger k
                WHERE k.player_id = r.player_id AND k.number >= e.number AND k.number <= e.number
                ORDER BY k.number
                LIMIT 1
            ) l
        )
    ) AS document
FROM round r;

-- The rows that `queries/commit_batch.sql` takes, as arrays. `ord` is the ordinal of the entry that a row belongs
-- to; everything else is named as the column that it becomes.
CREATE TYPE commit_entry AS (
    ord integer, player_id text, lane smallint, version bigint, last_transaction bigint, last_event bigint,
    status text, event_ids uuid[], event_types text[], event_bodies text[], at timestamptz
);
CREATE TYPE commit_record AS (
    ord integer, player_id text, number bigint, id uuid, provider_id text, kind text, external_id text,
    provider_wide boolean, state text, fingerprint bytea, currency text, amount bigint, accounts text[],
    amounts bigint[], balances_after bigint[], game_id text, round_scope text, round_id text, names_bet text,
    reverses uuid, reply text, refusal text, created_at timestamptz
);
CREATE TYPE commit_key AS (ord integer, player_id text, provider_id text, kind text, external_id text);
CREATE TYPE commit_round AS (
    ord integer, player_id text, provider_id text, scope_game text, round_id text, number bigint, game_id text,
    currency text, state text, is_open boolean, stake bigint, won bigint, bets integer, wins integer,
    entries bigint[], opened_at timestamptz, closed_at timestamptz, touched_at timestamptz
);
CREATE TYPE commit_balance AS (ord integer, player_id text, currency text, account text, amount bigint);
CREATE TYPE commit_session AS (
    ord integer, player_id text, id uuid, kind text, currency text, provider_id text, game_id text,
    token_hash bytea, token_expires_at timestamptz, expires_at timestamptz, ended_at timestamptz
);
