-- Which entries of a batch want what is taken, by a row or by an earlier entry of the same batch: their ordinals.
-- Asked when `commit_batch.sql` met a unique key, and of the same rows: $1 ledger rows; $2 keys that must be new
-- over all players of a provider account; $3 new rounds; $4 new balances; $5 new sessions. The other unique keys
-- are numbers that the fence hands out.
--
-- Each look-up is a LATERAL with a LIMIT, which the planner cannot turn round into a read of the whole table.
SELECT r.ord
FROM unnest($1::commit_record[]) r
CROSS JOIN LATERAL (
    SELECT 1
    FROM ledger l
    WHERE l.player_id = r.player_id AND l.provider_id = r.provider_id AND l.kind = r.kind
        AND l.external_id = r.external_id
    LIMIT 1
) taken
UNION
SELECT r.ord
FROM unnest($1::commit_record[]) r
CROSS JOIN LATERAL (
    SELECT 1 FROM ledger l WHERE l.player_id = r.player_id AND l.reverses = r.reverses LIMIT 1
) taken
UNION
SELECT n.ord
FROM unnest($2::commit_key[]) n
CROSS JOIN LATERAL (
    SELECT 1
    FROM provider_key k
    WHERE k.provider_id = n.provider_id AND k.kind = n.kind AND k.external_id = n.external_id
    LIMIT 1
) taken
UNION
SELECT k.ord
FROM (
    SELECT n.ord, row_number() OVER (PARTITION BY n.provider_id, n.kind, n.external_id ORDER BY n.ord) AS place
    FROM unnest($2::commit_key[]) n
) k
WHERE k.place > 1
UNION
SELECT c.ord
FROM unnest($3::commit_round[]) c
CROSS JOIN LATERAL (
    SELECT 1
    FROM round o
    WHERE o.player_id = c.player_id AND o.provider_id = c.provider_id AND o.scope_game = c.scope_game
        AND o.round_id = c.round_id
    LIMIT 1
) taken
UNION
SELECT b.ord
FROM unnest($4::commit_balance[]) b
CROSS JOIN LATERAL (
    SELECT 1
    FROM balance o
    WHERE o.player_id = b.player_id AND o.currency = b.currency AND o.account = b.account
    LIMIT 1
) taken
UNION
SELECT s.ord
FROM unnest($5::commit_session[]) s
CROSS JOIN LATERAL (
    SELECT 1 FROM session o WHERE o.player_id = s.player_id AND o.id = s.id LIMIT 1
) taken
UNION
SELECT s.ord
FROM unnest($5::commit_session[]) s
CROSS JOIN LATERAL (
    SELECT 1 FROM session o WHERE o.token_hash = s.token_hash LIMIT 1
) taken
UNION
SELECT t.ord
FROM (
    SELECT s.ord, row_number() OVER (PARTITION BY s.token_hash ORDER BY s.ord) AS place
    FROM unnest($5::commit_session[]) s
) t
WHERE t.place > 1
