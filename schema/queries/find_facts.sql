-- Answers questions about a player, all of one moment: one row per thing that exists, with the ordinal of the
-- question, and the player's version. $1 player; $2.. transactions; $7.. rounds; $11.. sessions; $13
-- whether all sessions are asked for that have not been ended: few, for a player may have few that are live; $14..
-- payments.
--
-- Each look-up is a LATERAL with a LIMIT, which the planner cannot turn round: as a plain join it would, on
-- tables that it takes for small, read everything that the player has and filter.
SELECT 'version' AS part, 0 AS ord, p.version::text AS document
FROM player p
WHERE p.id = $1::text
UNION ALL
SELECT 'transaction', q.ord, t.document
FROM unnest($2::int4[], $3::bool[], $4::text[], $5::text[], $6::text[])
    AS q (ord, provider_wide, provider_id, kind, external_id)
CROSS JOIN LATERAL (
    SELECT json_build_object(
        'player', l.player_id,
        'state', l.state,
        'fingerprint', encode(l.fingerprint, 'hex'),
        'round_scope', l.round_scope,
        'round', l.round_id,
        'reply', l.reply,
        'refusal', l.refusal,
        'reversal', (SELECT v.reply FROM ledger v WHERE v.player_id = l.player_id AND v.reverses = l.id)
    )::text AS document
    FROM ledger l
    -- An id of this player is his, also when it was stored before the account's ids became provider-wide.
    WHERE l.player_id = coalesce(
            (
                SELECT k.player_id
                FROM provider_key k
                WHERE q.provider_wide
                    AND k.provider_id = q.provider_id AND k.kind = q.kind AND k.external_id = q.external_id
            ),
            $1::text
        )
        AND l.provider_id = q.provider_id AND l.kind = q.kind AND l.external_id = q.external_id
    LIMIT 1
) t
UNION ALL
SELECT 'round', q.ord, d.document
FROM unnest($7::int4[], $8::text[], $9::text[], $10::text[]) AS q (ord, provider_id, scope_game, round_id)
CROSS JOIN LATERAL (
    SELECT r.document::text AS document
    FROM round_document r
    WHERE r.player_id = $1::text
        AND r.provider_id = q.provider_id AND r.scope_game = q.scope_game AND r.round_id = q.round_id
    LIMIT 1
) d
UNION ALL
SELECT 'session', q.ord, d.document
FROM unnest($11::int4[], $12::uuid[]) AS q (ord, id)
CROSS JOIN LATERAL (
    SELECT s.document::text AS document
    FROM session_document s
    WHERE s.player_id = $1::text AND s.id = q.id
    LIMIT 1
) d
UNION ALL
SELECT 'sessions', 0, (
    SELECT coalesce(json_agg(u.document ORDER BY u.id), '[]'::json)::text
    FROM (
        SELECT *
        FROM session_document s
        WHERE s.player_id = $1::text AND s.ended_at IS NULL
        ORDER BY s.id
        LIMIT 1000
    ) u
)
WHERE $13::bool
UNION ALL
SELECT 'payment', q.ord, d.document
FROM unnest($14::int4[], $15::uuid[]) AS q (ord, id)
CROSS JOIN LATERAL (
    SELECT y.document
    FROM payment y
    WHERE y.player_id = $1::text AND y.id = q.id
    LIMIT 1
) d
