-- Whether one of these hands asked for or approved an adjustment of the player's money since a moment. $1 player, $2 the
-- moment, $3 names as they are compared.
SELECT EXISTS (
    SELECT
    FROM approval
    WHERE player_id = $1::text AND created_at >= $2::timestamptz AND kind = 'adjustment' AND state = 'approved'
        AND (maker_hands && $3::text[] OR lower(btrim(checker)) = ANY ($3::text[]))
) AS has_adjusted
