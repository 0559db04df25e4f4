-- What the operator sets up, and what protects his API.

CREATE TABLE provider (
    id         text        COLLATE "C" PRIMARY KEY,
    dialect    text        NOT NULL,
    name       text        NOT NULL,
    -- The wallet's Policy as JSON.
    policy     text        NOT NULL,
    -- Callback secrets, sealed by the server with its master key; two while one is rotated out.
    secrets    bytea[]     NOT NULL,
    enabled    boolean     NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE game (
    id          text        COLLATE "C" PRIMARY KEY,
    provider_id text        COLLATE "C" NOT NULL REFERENCES provider (id),
    name        text        NOT NULL,
    category    text        NOT NULL,
    -- Decimal text, in percent.
    rtp         text,
    enabled     boolean     NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE operator_key (
    id           uuid        PRIMARY KEY,
    -- The first characters of the key, for people to tell keys apart.
    prefix       text        NOT NULL,
    -- SHA-256 of the key; the key itself is nowhere.
    hash         bytea       NOT NULL UNIQUE,
    name         text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz,
    last_used_at timestamptz
);

-- Answers to REST requests with an Idempotency-Key. The body is sealed by the server: it may show a token.
CREATE TABLE idempotency (
    key_id       uuid        NOT NULL,
    key          text        COLLATE "C" NOT NULL,
    request_hash bytea       NOT NULL,
    status       smallint    NOT NULL,
    body         bytea       NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (key_id, key)
);
CREATE INDEX idempotency_by_age ON idempotency (created_at);
