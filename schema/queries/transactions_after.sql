SELECT
    l.number, l.id, l.provider_id, l.kind, l.external_id, l.state, l.currency, l.amount, l.game_id, l.round_scope,
    l.round_id, l.names_bet, l.reverses,
    (SELECT v.id FROM ledger v WHERE v.player_id = l.player_id AND v.reverses = l.id) AS reversed_by, l.reply, l.refusal, l.created_at
FROM ledger l
WHERE l.player_id = $1 AND l.number > $2
ORDER BY l.number
LIMIT $3
