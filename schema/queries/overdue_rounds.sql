-- Rounds without a movement for longer than their provider account allows, oldest first. $1 now, $2 at most.
SELECT o.player_id, o.provider_id, o.game_id, o.round_id, p.policy
FROM (
    SELECT id, policy, $1::timestamptz - (policy::json ->> 'auto_close_after_s')::int8 * interval '1 second' AS before
    FROM provider
    WHERE policy::json ->> 'auto_close_after_s' IS NOT NULL
) p
CROSS JOIN LATERAL (
    SELECT r.player_id, r.provider_id, r.game_id, r.round_id, r.touched_at
    FROM round r
    WHERE r.provider_id = p.id AND r.is_open AND r.opened_at <= p.before AND r.touched_at <= p.before
    ORDER BY r.opened_at
    LIMIT $2
) o
ORDER BY o.touched_at
LIMIT $2
