-- Belongs into `commit_batch.sql`, in the place that is marked there, for a batch with payments: $10 new ones, $11
-- changed ones. Apart from it, so that a batch of bets is not planned for what it has not.
new_payment AS (
    INSERT INTO payment (
        player_id, id, kind, state, reference, currency, amount, fee, due_at, created_at, changed_at, document
    )
    SELECT
        y.player_id, y.id, y.kind, y.state, y.reference, y.currency, y.amount, y.fee, y.due_at, y.created_at,
        y.changed_at, y.document
    FROM unnest($10::commit_payment[]) y
    WHERE (SELECT o.is_applied FROM outcome o)[y.ord]
),
old_payment AS (
    UPDATE payment o
    SET state = y.state, due_at = y.due_at, changed_at = y.changed_at, document = y.document
    FROM unnest($11::commit_payment[]) y
    WHERE o.player_id = y.player_id AND o.id = y.id
        AND (SELECT o.is_applied FROM outcome o)[y.ord]
),
