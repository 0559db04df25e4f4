-- Operator keys that are restricted, rotated and expire; the audit log as it is searched, as events for subscribers, and
-- with what the server itself finds significant.

ALTER TABLE operator_key
    -- The persons through whose hands the secret came: whoever made or rotated the key over HTTP, and whoever made theirs.
    ADD COLUMN issuers      text[]      NOT NULL DEFAULT '{}',
    -- After a rotation the secret before works on until this time.
    ADD COLUMN old_hash     bytea       UNIQUE,
    ADD COLUMN old_prefix   text,
    ADD COLUMN old_until    timestamptz,
    ADD COLUMN expires_at   timestamptz,
    -- Networks, such as `192.0.2.0/24`, from which it may be used; none: from anywhere.
    ADD COLUMN allowed      text[]      NOT NULL DEFAULT '{}',
    -- Requests a second and at once; null: those of the configuration.
    ADD COLUMN rate_per_s   integer,
    ADD COLUMN rate_burst   integer,
    ADD COLUMN last_used_address text,
    -- Raised by each change, which so cannot overwrite another that it does not know.
    ADD COLUMN version      bigint      NOT NULL DEFAULT 0,
    ADD CONSTRAINT old_secret_ends CHECK (
        (old_hash IS NULL) = (old_until IS NULL) AND (old_hash IS NULL) = (old_prefix IS NULL)
    ),
    ADD CONSTRAINT rate_is_whole CHECK ((rate_per_s IS NULL) = (rate_burst IS NULL));

-- Which world the database is of; told once, by the first program that knows. A server of the other one does not start.
ALTER TABLE install ADD COLUMN environment text COLLATE "C" CHECK (environment IN ('sandbox', 'live'));

-- The log is listed by time: each filter has an index that serves its order.
DROP INDEX audit_by_subject;
DROP INDEX audit_by_action;
CREATE INDEX audit_by_time ON audit_entry (at, number);
CREATE INDEX audit_by_subject ON audit_entry (subject, at, number);
CREATE INDEX audit_by_action ON audit_entry (action, at, number);
CREATE INDEX audit_by_actor ON audit_entry (actor_id, at, number);

-- The `seq` of the newest event that belongs to no player: gap-free from 1, as a player's.
ALTER TABLE audit_head ADD COLUMN last_event bigint NOT NULL DEFAULT 0;

-- Whoever has events: each player and, under the id '', the casino itself, whose lane is 0.
CREATE VIEW event_source AS
SELECT p.id, p.lane, p.last_event FROM player p
UNION ALL
SELECT '', 0::smallint, h.last_event FROM audit_head h;

-- Appends an entry, in the transaction of what it tells of. Answers its number; null when this id is there already.
-- Entries about keys, provider accounts, the catalogue and the configuration are events for subscribers as well, under
-- the same id: they go to lane 0, whose lock is taken last.
CREATE OR REPLACE FUNCTION append_audit(
    id uuid, at timestamptz, action text, actor_kind text, actor_id text, person text, address text, subject text,
    detail text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head audit_head;
    world text;
    body text;
    place bigint;
BEGIN
    SELECT * INTO STRICT head FROM audit_head FOR UPDATE;
    IF EXISTS (SELECT FROM audit_entry e WHERE e.id = append_audit.id) THEN
        RETURN NULL;
    END IF;
    head.number := head.number + 1;
    head.hash := audit_hash(
        head.hash, head.number, id, at, action, actor_kind, actor_id, person, address, subject, detail);
    INSERT INTO audit_entry
    VALUES (head.number, id, at, action, actor_kind, actor_id, person, address, subject, detail, head.hash);
    SELECT i.environment INTO world FROM install i;
    IF world IS NOT NULL AND split_part(action, '.', 1) IN ('key', 'provider', 'game', 'config') THEN
        head.last_event := head.last_event + 1;
        body := format(
            '{"id":"%s","type":%s,"version":1,"time":"%s","environment":"%s","player":null,"seq":%s,"transaction":null,'
            '"data":{"entry":%s,"actor":{"kind":%s,"id":%s,"person":%s,"address":%s},"subject":%s,"detail":%s}}',
            id, to_json(action), to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), world, head.last_event,
            head.number, to_json(actor_kind), to_json(actor_id), coalesce(to_json(person)::text, 'null'),
            coalesce(to_json(address)::text, 'null'), to_json(subject), detail);
        UPDATE lane l SET seq = l.seq + 1 WHERE l.id = 0 RETURNING l.seq INTO STRICT place;
        INSERT INTO outbox (lane, lane_seq, player_id, last_seq, ids, types, bodies, created_at)
        VALUES (0, place, '', head.last_event, ARRAY[id], ARRAY[action], ARRAY[body], at);
    END IF;
    UPDATE audit_head h SET number = head.number, hash = head.hash, last_event = head.last_event;
    RETURN head.number;
END $$;

-- Which servers' own readers read the outbox, and how far each has come: of each lane, the rows. Null: it has not begun.
CREATE TABLE event_reader (
    name      text     PRIMARY KEY,
    lane_rows bigint[]
);
INSERT INTO event_reader (name) VALUES ('audit');

-- As of V4, with the server's own readers: they are waited for, too.
CREATE OR REPLACE VIEW outbox_reader AS
SELECT w.id::text AS name, l.id AS lane, w.lane_rows[l.id + 1] AS position
FROM webhook w
CROSS JOIN lane l
WHERE w.enabled
UNION ALL
SELECT r.name, l.id, r.lane_rows[l.id + 1]
FROM event_reader r
CROSS JOIN lane l;

-- The configuration that a server started with last, secrets hashed: the next one tells what is new.
CREATE TABLE noted_config (
    only_row boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    settings jsonb       NOT NULL,
    at       timestamptz NOT NULL
);
