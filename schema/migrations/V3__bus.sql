-- What the event bus is known to hold, so that a bus that lost something is noticed and gets it again; and what was
-- trimmed from the outbox, so that a gap is still told from what went in its time.

ALTER TABLE lane_publisher
    -- For each family of events (`wallet` for `wallet.*`) the bus's number of the lane's newest acknowledged event.
    -- Here, not in rows of their own: they must be read and written under the one lock that fences a publisher.
    ADD COLUMN acknowledged   jsonb  NOT NULL DEFAULT '{}',
    -- For each family the lane number up to which its stream holds all, when `published` was set back behind it
    -- because another stream lost something.
    ADD COLUMN held           jsonb  NOT NULL DEFAULT '{}',
    -- Decisions up to this lane number are gone from the outbox, and with them so many events.
    ADD COLUMN trimmed        bigint NOT NULL DEFAULT 0,
    ADD COLUMN trimmed_events bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT only_published_is_trimmed CHECK (trimmed <= published);

CREATE TABLE bus_stream (
    family  text COLLATE "C" PRIMARY KEY,
    -- When the bus made it, in the bus's words: another time is another stream. '': there is none.
    made_at text NOT NULL
);

-- Now and then, what was acknowledged when a lane was published up to a number: a stream that lost its end gets
-- again what came after the newest of these that it still covers.
CREATE TABLE bus_savepoint (
    lane         smallint    NOT NULL REFERENCES lane (id),
    published    bigint      NOT NULL,
    acknowledged jsonb       NOT NULL,
    saved_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (lane, published)
);
CREATE INDEX bus_savepoint_by_time ON bus_savepoint (lane, saved_at);
