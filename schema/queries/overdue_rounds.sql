-- Rounds without a movement for longer than their provider account allows, oldest first. $1 now, $2 at most.
--
-- Reads every open round, by the open part of `round_by_player`, if any provider has a limit: an index for this
-- alone would cost every bet that opens a round. That is once per sweep and about a second for a million.
WITH policy AS MATERIALIZED (
    SELECT p.id, p.policy, $1::timestamptz - (p.policy::json ->> 'auto_close_after_s')::int8 * interval '1 second' AS before
    FROM provider p
    WHERE p.policy::json ->> 'auto_close_after_s' IS NOT NULL
)
SELECT r.player_id, r.provider_id, r.game_id, r.round_id, p.policy
FROM round r
JOIN policy p ON p.id = r.provider_id
WHERE r.is_open AND r.touched_at <= p.before
    -- Each once: without a limit nothing is read, and most rounds are too young for any.
    AND (SELECT count(*) > 0 FROM policy) AND r.touched_at <= (SELECT max(before) FROM policy)
ORDER BY r.touched_at
LIMIT $2
