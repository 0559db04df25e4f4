-- The player's newest live game session with a provider account in a currency. The player's live sessions are few, and
-- have an index.
SELECT d.player_id, d.document::text AS document
FROM session s
JOIN session_document d ON d.player_id = s.player_id AND d.id = s.id
WHERE s.player_id = $1 AND s.expires_at > $4 AND s.ended_at IS NULL AND s.kind = 'game' AND s.provider_id = $2
    AND s.currency = $3
ORDER BY s.created_at DESC, s.id DESC
LIMIT 1
