-- Who changed what: a chain of entries that nobody can rewrite unseen, and whose keys may do what.

-- The newest number and its hash. Its row lock, held to the commit, is what makes the numbers contiguous.
CREATE TABLE audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    number   bigint  NOT NULL,
    hash     bytea   NOT NULL
) WITH (fillfactor = 10);
INSERT INTO audit_head (number, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE audit_entry (
    -- Gap-free, from 1.
    number     bigint      PRIMARY KEY,
    id         uuid        NOT NULL CONSTRAINT one_entry_once UNIQUE,
    at         timestamptz NOT NULL,
    -- What was done, such as `key.created`.
    action     text        COLLATE "C" NOT NULL,
    -- Who did it: `operator`, `command_line`, `server`, `provider` or `player`, which of them, the person that an
    -- operator key is for, and the address that the request came from.
    actor_kind text        COLLATE "C" NOT NULL,
    actor_id   text        COLLATE "C" NOT NULL,
    person     text,
    address    text,
    -- What it was done to, such as `player/alice`.
    subject    text        COLLATE "C" NOT NULL,
    -- JSON: what it was before and what it is now, and why. Text, for a hash goes over it.
    detail     text        NOT NULL,
    -- SHA-256 over the hash before it and the fields above: see `audit_hash`.
    hash       bytea       NOT NULL
);
CREATE INDEX audit_by_subject ON audit_entry (subject, number);
CREATE INDEX audit_by_action ON audit_entry (action, number);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A field so that no two lists of fields are the same text: its length in bytes, a colon, the field, a comma; of one
-- that is not there, `-,`.
CREATE FUNCTION netstring(field text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN field IS NULL THEN '-,' ELSE octet_length(field)::text || ':' || field || ',' END
$$;

-- The hash of an entry: SHA-256 over the 32 bytes before it and then, as netstrings in UTF-8, number, id, time in
-- microseconds since 1970, action, kind and id of the actor, person, address, subject, detail.
CREATE FUNCTION audit_hash(
    previous bytea, number bigint, id uuid, at timestamptz, action text, actor_kind text, actor_id text, person text,
    address text, subject text, detail text
) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
    SELECT sha256(previous || convert_to(
        netstring(number::text) || netstring(id::text)
        || netstring(((extract(epoch FROM at) * 1000000)::bigint)::text) || netstring(action)
        || netstring(actor_kind) || netstring(actor_id) || netstring(person) || netstring(address)
        || netstring(subject) || netstring(detail),
        'UTF8'))
$$;

-- Appends an entry, in the transaction of what it tells of. Answers its number; null when this id is there already.
CREATE FUNCTION append_audit(
    id uuid, at timestamptz, action text, actor_kind text, actor_id text, person text, address text, subject text,
    detail text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    head audit_head;
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
    UPDATE audit_head h SET number = head.number, hash = head.hash;
    RETURN head.number;
END $$;

ALTER TABLE operator_key
    -- Whom the key is for: two persons are two keys of different people.
    ADD COLUMN person text   NOT NULL DEFAULT '',
    ADD COLUMN scopes text[] NOT NULL DEFAULT '{*}';
UPDATE operator_key SET person = name;
