SELECT player_id, document::text AS document, created_at, address, user_agent FROM session_document WHERE id = $1
