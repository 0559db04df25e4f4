-- A callback names its session, not the player: by the key alone every session that ever was would be read.
CREATE INDEX session_by_id ON session (id);

-- A session as the wallet reads it.
CREATE VIEW session_document AS
SELECT
    s.player_id, s.id, s.token_hash, s.created_at, s.expires_at, s.ended_at,
    json_build_object(
        'id', s.id, 'kind', s.kind, 'currency', s.currency, 'provider', s.provider_id, 'game', s.game_id,
        'expires_at', (extract(epoch FROM s.expires_at) * 1000000)::bigint,
        'ended_at', (extract(epoch FROM s.ended_at) * 1000000)::bigint,
        'token_expires_at', (extract(epoch FROM s.token_expires_at) * 1000000)::bigint
    ) AS document
FROM session s;
