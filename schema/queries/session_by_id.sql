SELECT
    s.player_id,
    json_build_object(
        'id', s.id, 'kind', s.kind, 'currency', s.currency, 'provider', s.provider_id, 'game', s.game_id,
        'expires_at', (extract(epoch FROM s.expires_at) * 1000000)::bigint,
        'ended_at', (extract(epoch FROM s.ended_at) * 1000000)::bigint,
        'token_expires_at', (extract(epoch FROM s.token_expires_at) * 1000000)::bigint
    )::text AS document
FROM session s
WHERE s.id = $1
