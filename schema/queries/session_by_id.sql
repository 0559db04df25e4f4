SELECT player_id, document::text AS document FROM session_document WHERE id = $1
