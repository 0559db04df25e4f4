-- What one external id of a provider ($1, $2) is the id of, one transaction of each of the kinds $4 at most: of player
-- $3, or where he is null of the one player whose it is, if the id is the whole account's.
SELECT t.*
FROM unnest($4::text[]) AS q (kind)
CROSS JOIN LATERAL (
    SELECT *
    FROM shown_transaction l
    WHERE l.player_id = coalesce(
            $3::text,
            (
                SELECT k.player_id
                FROM provider_key k
                WHERE k.provider_id = $1::text AND k.kind = q.kind AND k.external_id = $2::text
            )
        )
        AND l.provider_id = $1::text AND l.kind = q.kind AND l.external_id = $2::text
    LIMIT 1
) t
ORDER BY t.id DESC
