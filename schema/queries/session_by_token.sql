SELECT player_id, document::text AS document FROM session_document WHERE token_hash = $1
