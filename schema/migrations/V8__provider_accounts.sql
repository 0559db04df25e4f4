-- Provider accounts that can be changed while they are in use, and what their callbacks were.

ALTER TABLE provider
    -- `active`; `disabled`: no bets and no launches, but what is open is settled; `closed`: nothing at all.
    ADD COLUMN status text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'closed')),
    -- Sealed by the server. The old one is valid as well until its time is over.
    ADD COLUMN secret           bytea,
    ADD COLUMN old_secret       bytea,
    ADD COLUMN old_secret_until timestamptz,
    -- Networks that callbacks may come from, as `192.0.2.0/24`. None: anywhere.
    ADD COLUMN allowed_addresses text[] COLLATE "C" NOT NULL DEFAULT '{}',
    -- What is logged of its callbacks. Null: what the environment's setting says.
    ADD COLUMN callback_log text COLLATE "C" CHECK (callback_log IN ('all', 'failures', 'off')),
    -- Counts changes: whoever changes it, or relies on it, names the one that he has read.
    ADD COLUMN revision bigint NOT NULL DEFAULT 0,
    -- When it first sent what may be stored. From then on the choices that keys are made by are fixed.
    ADD COLUMN used_at timestamptz,
    ADD CONSTRAINT old_secret_ends CHECK ((old_secret IS NULL) = (old_secret_until IS NULL));
UPDATE provider p
SET status = CASE WHEN enabled THEN 'active' ELSE 'disabled' END,
    secret = coalesce(secrets[1], ''),
    used_at = CASE WHEN EXISTS (SELECT FROM ledger l WHERE l.provider_id = p.id) THEN now() END;
ALTER TABLE provider
    ALTER COLUMN secret SET NOT NULL,
    DROP COLUMN secrets,
    DROP COLUMN enabled;

-- What became of callbacks, for people to look at. No ledger: unlogged, so that it costs the ledger nothing, empty
-- after a crash of the database, and trimmed by age and by count.
CREATE UNLOGGED TABLE callback_log (
    provider_id  text        COLLATE "C" NOT NULL,
    number       bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    received_at  timestamptz NOT NULL,
    -- `ok`, or the code of the error.
    outcome      text        COLLATE "C" NOT NULL,
    -- The end of the path, and what was understood of the request.
    action       text        COLLATE "C" NOT NULL,
    kind         text        COLLATE "C",
    player_id    text        COLLATE "C",
    round_id     text        COLLATE "C",
    -- The provider's own ids.
    transactions text[]      COLLATE "C" NOT NULL,
    -- Which secret it was signed with, or what was wrong with the signature.
    signature    text        COLLATE "C" NOT NULL,
    status       smallint    NOT NULL,
    took_us      bigint      NOT NULL,
    address      text,
    request_id   text,
    -- JSON: the request and the answer, with everything secret masked.
    detail       text        NOT NULL
);
CREATE INDEX callback_log_by_time ON callback_log (provider_id, received_at, number);
