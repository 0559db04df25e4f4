-- What a textbook would make of it, with the keys and indexes that it needs and none that it does not.
-- Numbers as keys, because they are cheaper than the texts of the real ledger.
CREATE TABLE wallet (
    player_id bigint PRIMARY KEY,
    balance   bigint NOT NULL CHECK (balance >= 0),
    version   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

CREATE TABLE ledger (
    id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    player_id     bigint      NOT NULL,
    provider_id   text        COLLATE "C" NOT NULL,
    external_id   text        COLLATE "C" NOT NULL,
    round_id      text        COLLATE "C" NOT NULL,
    amount        bigint      NOT NULL,
    balance_after bigint      NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now(),
    UNIQUE (provider_id, external_id)
);

CREATE TABLE outbox (
    id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    player_id  bigint      NOT NULL,
    subject    text        NOT NULL,
    body       text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
