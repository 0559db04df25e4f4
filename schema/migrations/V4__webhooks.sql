-- Where operators want their events, and what could not be delivered there.

CREATE TABLE webhook (
    id               uuid        PRIMARY KEY,
    -- The operator key that made it.
    key_id           uuid        NOT NULL,
    url              text        NOT NULL,
    description      text        NOT NULL,
    -- Types of events and families of them, as the operator named them. None: every type.
    types            text[]      COLLATE "C" NOT NULL,
    -- Sealed by the server. The old one signs as well until its time is over.
    secret           bytea       NOT NULL,
    old_secret       bytea,
    old_secret_until timestamptz,
    enabled          boolean     NOT NULL DEFAULT true,
    -- Why it is not enabled.
    disabled_by      text        CHECK (disabled_by IN ('operator', 'gone', 'failing', 'events_gone')),
    -- Its own position in the feed: of each lane the rows, and the events of the next row, that were delivered.
    lane_rows        bigint[]    NOT NULL,
    lane_events      integer[]   NOT NULL,
    -- Failures in a row, since when, and before when not to try again.
    failures         integer     NOT NULL DEFAULT 0,
    failing_since    timestamptz,
    next_attempt_at  timestamptz,
    last_error       text,
    last_success_at  timestamptz,
    -- Which server delivers; `epoch` fences what an earlier one, or one that knows old settings, still writes.
    owner            uuid,
    lease_until      timestamptz NOT NULL DEFAULT '-infinity',
    epoch            bigint      NOT NULL DEFAULT 0,
    created_at       timestamptz NOT NULL,
    CONSTRAINT disabled_says_why CHECK (enabled = (disabled_by IS NULL)),
    CONSTRAINT old_secret_ends CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
) WITH (fillfactor = 50);

-- Single events that an endpoint did not take: to be tried again, or dead. A copy, for the outbox forgets.
CREATE TABLE webhook_message (
    webhook_id      uuid        NOT NULL REFERENCES webhook (id) ON DELETE CASCADE,
    -- A UUID v7: in the order of time.
    event_id        uuid        NOT NULL,
    type            text        COLLATE "C" NOT NULL,
    player_id       text        COLLATE "C" NOT NULL,
    body            text        NOT NULL,
    is_dead         boolean     NOT NULL DEFAULT false,
    attempts        integer     NOT NULL,
    next_attempt_at timestamptz NOT NULL,
    last_error      text        NOT NULL,
    failed_at       timestamptz NOT NULL,
    PRIMARY KEY (webhook_id, event_id)
);
CREATE INDEX webhook_message_due ON webhook_message (webhook_id, is_dead, next_attempt_at);

-- An endpoint as it is shown, with how many events wait to be tried again and how many are dead.
CREATE VIEW webhook_shown AS
SELECT
    w.*,
    (SELECT count(*) FROM webhook_message m WHERE m.webhook_id = w.id AND NOT m.is_dead) AS waiting,
    (SELECT count(*) FROM webhook_message m WHERE m.webhook_id = w.id AND m.is_dead) AS dead
FROM webhook w;

-- Whoever else reads the outbox, and up to which number of each lane he is done with it: he holds trimming back, up to
-- `outbox.hold_h`. A position that is null holds nothing back. Later readers are added here.
CREATE VIEW outbox_reader AS
SELECT w.id::text AS name, l.id AS lane, w.lane_rows[l.id + 1] AS position
FROM webhook w
CROSS JOIN lane l
WHERE w.enabled;
