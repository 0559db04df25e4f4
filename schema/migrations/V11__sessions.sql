-- Sessions that slide: how long they may be idle, when they end at the latest, and why they ended.

CREATE DOMAIN session_end AS text COLLATE "C"
    CHECK (VALUE IN ('ended', 'logged_out', 'replaced', 'blocked', 'expired_idle', 'expired'));

ALTER TABLE session
    -- The login that a game was launched from: it ends with that.
    ADD COLUMN login_id       uuid,
    ADD COLUMN idle_s         bigint,
    ADD COLUMN absolute_until timestamptz,
    -- The newest activity that was noted. `expires_at` is `idle_s` after it, and not after `absolute_until`.
    ADD COLUMN last_active_at timestamptz,
    ADD COLUMN end_reason     session_end,
    -- From where the player logged in, as the operator told.
    ADD COLUMN address        text,
    ADD COLUMN user_agent     text;

-- What was opened before keeps the life that it was promised: it is never idle before its end. What was over by then
-- is marked so without an event, which would come long after the fact.
UPDATE session
SET absolute_until = expires_at,
    last_active_at = created_at,
    idle_s = greatest(1, ceil(extract(epoch FROM expires_at - created_at)))::bigint,
    end_reason = CASE WHEN ended_at IS NOT NULL THEN 'ended' WHEN expires_at <= now() THEN 'expired' END,
    ended_at = CASE WHEN ended_at IS NULL AND expires_at <= now() THEN expires_at ELSE ended_at END;

ALTER TABLE session
    ALTER COLUMN idle_s SET NOT NULL,
    ALTER COLUMN absolute_until SET NOT NULL,
    ALTER COLUMN last_active_at SET NOT NULL,
    ADD CONSTRAINT an_end_has_a_reason CHECK ((ended_at IS NULL) = (end_reason IS NULL));

-- Few rows: those of sessions that are live, and of those whose end was not noted yet.
DROP INDEX session_live;
CREATE INDEX session_live ON session (player_id, id) WHERE ended_at IS NULL;
CREATE INDEX session_due ON session (expires_at) WHERE ended_at IS NULL;

ALTER TYPE commit_session
    ADD ATTRIBUTE login_id uuid,
    ADD ATTRIBUTE idle_s bigint,
    ADD ATTRIBUTE absolute_until timestamptz,
    ADD ATTRIBUTE last_active_at timestamptz,
    ADD ATTRIBUTE end_reason text,
    ADD ATTRIBUTE address text,
    ADD ATTRIBUTE user_agent text;

CREATE OR REPLACE VIEW session_document AS
SELECT
    s.player_id, s.id, s.token_hash, s.created_at, s.expires_at, s.ended_at,
    json_build_object(
        'id', s.id, 'kind', s.kind, 'currency', s.currency, 'provider', s.provider_id, 'game', s.game_id,
        'login', s.login_id, 'idle_s', s.idle_s,
        'absolute_until', (extract(epoch FROM s.absolute_until) * 1000000)::bigint,
        'last_active_at', (extract(epoch FROM s.last_active_at) * 1000000)::bigint,
        'expires_at', (extract(epoch FROM s.expires_at) * 1000000)::bigint,
        'ended_at', (extract(epoch FROM s.ended_at) * 1000000)::bigint,
        'end', s.end_reason,
        'token_expires_at', (extract(epoch FROM s.token_expires_at) * 1000000)::bigint
    ) AS document,
    s.address, s.user_agent
FROM session s;

-- Failed logins that the operator reported: those of the last while, and until when no login is opened.
CREATE TABLE login_failure (
    player_id    text          COLLATE "C" PRIMARY KEY,
    failures     timestamptz[] NOT NULL,
    locked_until timestamptz
);
