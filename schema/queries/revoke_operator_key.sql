UPDATE operator_key SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1
