-- The catalogue of games: what each is and to whom it is offered, who may not play it, and how it is shown.

-- The number of the newest change to anything below. A node that remembers the number which it has read reads only
-- what has a greater one: with 20,000 games a look that finds nothing new costs one row.
CREATE TABLE catalogue_head (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    version    bigint  NOT NULL,
    -- The transaction that took the number: all its rows share it.
    changed_by xid8    NOT NULL
) WITH (fillfactor = 10);
INSERT INTO catalogue_head (version, changed_by) VALUES (1, pg_current_xact_id());

-- The row lock of the head, held to the commit, is what brings the numbers into the order of the commits: whoever reads
-- one has read all the lesser ones. A trigger, so that a row which is changed by hand is noticed as well.
CREATE FUNCTION take_catalogue_version() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    taken bigint;
BEGIN
    UPDATE catalogue_head h SET version = h.version + 1, changed_by = pg_current_xact_id()
    WHERE h.changed_by <> pg_current_xact_id();
    SELECT h.version INTO STRICT taken FROM catalogue_head h;
    RETURN taken;
END $$;
CREATE FUNCTION stamp_catalogue_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.catalogue_version := take_catalogue_version();
    RETURN NEW;
END $$;
CREATE FUNCTION note_catalogue_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM take_catalogue_version();
    RETURN NULL;
END $$;

-- Return to player was kept as a fraction, or as a range of two: now as percent, of the lesser one.
UPDATE game g
SET rtp = trim_scale(trunc(100 * (f.parts)[1]::numeric / nullif((f.parts)[2]::numeric, 0), 6))::text
FROM (SELECT id, regexp_match(rtp, '^~?(\d{1,12})/(\d{1,12})(\.\.|$)') AS parts FROM game) f
WHERE f.id = g.id AND f.parts IS NOT NULL;
UPDATE game SET rtp = NULL WHERE rtp !~ '^(\d{1,2}(\.\d{1,6})?|100)$';
UPDATE game SET category = 'other'
WHERE category NOT IN ('slot', 'table', 'live', 'crash', 'dice', 'bingo', 'lottery', 'virtual', 'instant');

ALTER TABLE game
    ADD CONSTRAINT category_is_known CHECK (category IN (
        'slot', 'table', 'live', 'crash', 'dice', 'bingo', 'lottery', 'virtual', 'instant', 'other')),
    ADD COLUMN tags              text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN volatility        text        CHECK (volatility IN ('low', 'medium', 'high')),
    -- Empty, here and in the lists below: all.
    ADD COLUMN currencies        text[]      NOT NULL DEFAULT '{}',
    -- JSON: the least and the greatest bet per currency, as decimal texts.
    ADD COLUMN limits            text        NOT NULL DEFAULT '[]',
    ADD COLUMN devices           text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN languages         text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN countries_allowed text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN countries_denied  text[]      NOT NULL DEFAULT '{}',
    ADD COLUMN demo              boolean     NOT NULL DEFAULT false,
    ADD COLUMN jackpots          text[]      NOT NULL DEFAULT '{}',
    -- Of the certified package, and the SHA-256 of it in hexadecimal digits.
    ADD COLUMN package_version   text,
    ADD COLUMN checksum          text,
    ADD COLUMN launch_url        text,
    ADD COLUMN image             text,
    ADD COLUMN sort_weight       integer     NOT NULL DEFAULT 0,
    -- While it is disabled, bets in rounds that are open are still taken.
    ADD COLUMN finish_open_round boolean     NOT NULL DEFAULT true,
    -- How long a game session lasts at most, and how many one player may have.
    ADD COLUMN session_limit_s   integer     CHECK (session_limit_s > 0),
    ADD COLUMN max_sessions      integer     CHECK (max_sessions > 0),
    ADD COLUMN updated_at        timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN catalogue_version bigint      NOT NULL DEFAULT 0;
CREATE INDEX game_by_change ON game (catalogue_version);
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON game
    FOR EACH ROW EXECUTE FUNCTION stamp_catalogue_version();

-- A game as the API shows it.
CREATE VIEW game_document AS
SELECT
    g.id, g.catalogue_version, g.created_at, g.updated_at,
    json_build_object(
        'id', g.id, 'provider', g.provider_id, 'name', g.name, 'category', g.category, 'tags', g.tags, 'rtp', g.rtp,
        'volatility', g.volatility, 'currencies', g.currencies, 'limits', g.limits::json, 'devices', g.devices,
        'languages', g.languages, 'countries', json_build_object('allow', g.countries_allowed, 'deny', g.countries_denied),
        'demo', g.demo, 'jackpots', g.jackpots, 'version', g.package_version, 'checksum', g.checksum,
        'launch_url', g.launch_url, 'image', g.image, 'sort_weight', g.sort_weight, 'enabled', g.enabled,
        'finish_open_round', g.finish_open_round, 'session_limit_s', g.session_limit_s,
        'max_sessions', g.max_sessions
    )::text AS document
FROM game g;

-- Whether there is any gaming at all. One row.
CREATE TABLE gaming (
    only_row          boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    enabled           boolean     NOT NULL,
    finish_open_round boolean     NOT NULL,
    reason            text        NOT NULL,
    changed_at        timestamptz NOT NULL
);
INSERT INTO gaming VALUES (true, true, true, '', now());
CREATE TRIGGER note AFTER INSERT OR UPDATE ON gaming
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change();

-- What a player may not bet on. A block that was lifted stays: it tells that there was one, and other nodes of its end.
CREATE TABLE game_block (
    player_id         text        COLLATE "C" NOT NULL,
    id                uuid        NOT NULL,
    -- Of one game, of all of a category, or of all of a provider account.
    scope             text        NOT NULL CHECK (scope IN ('game', 'category', 'provider')),
    target            text        COLLATE "C" NOT NULL,
    reason            text        NOT NULL,
    finish_open_round boolean     NOT NULL,
    -- Whom the operator key was for.
    person            text        NOT NULL,
    created_at        timestamptz NOT NULL,
    removed_at        timestamptz,
    catalogue_version bigint      NOT NULL DEFAULT 0,
    PRIMARY KEY (player_id, id)
);
CREATE UNIQUE INDEX one_block_at_a_time ON game_block (player_id, scope, target) WHERE removed_at IS NULL;
CREATE INDEX game_block_by_change ON game_block (catalogue_version);
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON game_block
    FOR EACH ROW EXECUTE FUNCTION stamp_catalogue_version();

-- Collections of the lobby: few, and always read all at once.
CREATE TABLE game_collection (
    id         text        COLLATE "C" PRIMARY KEY,
    -- JSON, as the API takes it.
    document   text        NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE TRIGGER note AFTER INSERT OR UPDATE OR DELETE ON game_collection
    FOR EACH ROW EXECUTE FUNCTION note_catalogue_change();
