//! What needs two persons: one asks, another approves, and only then it is done, once.
//!
//! Deciding is one conditional statement, so of all who approve, reject or let it expire at once, one does. What was
//! approved is carried out by the player's actor under the approval's own id: whoever does it again after a crash, by
//! a second `approve` or from the sweeper, gets the answer of the first time, also when that was a refusal. Only then
//! is the result written down.
//!
//! What can be asked for is a [`Request`]; HTTP is not here.

mod request;

use pitboss_providers::Code;
use pitboss_schema::{
    ApprovalKind, ApprovalRow, ApprovalState, AuditAction, AuditActor, AuditNote, NewApproval,
    StoreError, Verdict,
};
use pitboss_wallet::{MakerChecker, PlayerId, Reply};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use crate::{
    access::person,
    http::{ApiError, Operator},
    world::World,
};

pub use request::{Adjustment, Request, VoidedRound};

/// What an approval's id begins with.
const PREFIX: &str = "apr_";

/// Why an approved request was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(rename = "ApprovalFailure")]
pub struct Failure {
    /// One of the codes of `docs/errors.md`.
    pub code: String,
    /// For a person.
    pub detail: String,
}

/// As it is written: `apr_` and 32 hexadecimal digits.
#[must_use]
pub fn id_text(id: Uuid) -> String {
    format!("{PREFIX}{}", id.simple())
}

/// The id that [`id_text`] wrote.
#[must_use]
pub fn parse_id(text: &str) -> Option<Uuid> {
    let hex = text.strip_prefix(PREFIX)?;
    let id = (hex.len() == 32).then(|| Uuid::try_parse(hex).ok())??;
    (id_text(id) == text).then_some(id)
}

/// Whether whoever has this key, which went through these hands, is another person than the maker. Nobody can tell of a
/// key without a name, and nobody is his own second person by making a key in another name.
fn is_another(row: &ApprovalRow, key: Uuid, hands: &[String]) -> bool {
    let has_names = hands
        .iter()
        .chain(&row.maker_hands)
        .all(|name| !name.is_empty());
    row.maker.key != key && has_names && person::are_two(&row.maker_hands, hands)
}

/// Keeps a request; one that one person may decide is carried out at once. `id` is the same for the same request sent
/// again.
///
/// # Errors
/// The database did not answer, or the id was used for another request.
pub async fn request(
    operator: &Operator,
    id: Uuid,
    player: PlayerId,
    request: &Request,
) -> Result<ApprovalRow, ApiError> {
    let world = &operator.world;
    let now = world.clock.now();
    let by_one = request.one_person_is_enough(&world.config.approvals);
    let new = NewApproval {
        id,
        kind: request.kind(),
        state: if by_one {
            ApprovalState::Executing
        } else {
            ApprovalState::Pending
        },
        player,
        payload: serde_json::to_string(request).map_err(ApiError::internal)?,
        maker: operator.by(),
        maker_hands: operator.hands(),
        at: now,
        expires_at: now.plus_seconds(3600 * world.config.approvals.expire_h),
    };
    let detail = json!({ "player": &new.player, "request": request, "one_person": by_one });
    let note = operator.note(AuditAction::ApprovalRequested, subject(id), detail);
    let made = world.store.create_approval(&new, &note).await;
    let row = made.map_err(ApiError::unavailable)?;
    if row.payload != new.payload || row.player != new.player {
        let detail = "the Idempotency-Key was used for another request";
        return Err(ApiError::new(Code::IdempotencyMismatch, detail));
    }
    note_outcome(row.kind, "requested");
    if row.state != ApprovalState::Executing {
        return Ok(row);
    }
    // It is kept: an error now would only make somebody ask for it a second time.
    match finish(world, row.clone()).await {
        Ok(row) => Ok(row),
        Err(_) => Ok(row),
    }
}

/// Approves, as a second person, and carries it out; or carries out what was approved and has no end yet.
///
/// # Errors
/// It is the maker's own, it is decided already, or it has no outcome yet: the same may be sent again.
pub async fn approve(operator: &Operator, row: ApprovalRow) -> Result<ApprovalRow, ApiError> {
    let world = &operator.world;
    let by = operator.by();
    check_persons(&row, operator)?;
    if row.state == ApprovalState::Pending {
        let detail = json!({ "player": &row.player, "maker": row.maker.person });
        let note = operator.note(AuditAction::ApprovalApproved, subject(row.id), detail);
        let verdict = Verdict::Approve(&by);
        let decided = world
            .store
            .decide_approval(row.id, verdict, world.clock.now(), &note)
            .await
            .map_err(ApiError::unavailable)?;
        if let Some(row) = decided {
            return finish(world, row).await;
        }
    }
    let row = decided(world, row).await?;
    let is_his = row
        .checker
        .as_ref()
        .is_some_and(|checker| checker.key == by.key);
    match row.state {
        ApprovalState::Executing => finish(world, row).await,
        // The same decision again: the same answer.
        ApprovalState::Approved | ApprovalState::Failed if is_his => Ok(row),
        _ => Err(is_decided(&row)),
    }
}

/// Rejects, as a second person.
///
/// # Errors
/// It is the maker's own, or it is decided already.
pub async fn reject(
    operator: &Operator,
    row: ApprovalRow,
    reason: &str,
) -> Result<ApprovalRow, ApiError> {
    let world = &operator.world;
    let by = operator.by();
    check_persons(&row, operator)?;
    if row.state == ApprovalState::Pending {
        let detail = json!({ "player": &row.player, "maker": row.maker.person, "reason": reason });
        let note = operator.note(AuditAction::ApprovalRejected, subject(row.id), detail);
        let verdict = Verdict::Reject(&by, reason);
        let decided = world
            .store
            .decide_approval(row.id, verdict, world.clock.now(), &note)
            .await
            .map_err(ApiError::unavailable)?;
        if let Some(row) = decided {
            note_outcome(row.kind, "rejected");
            return Ok(row);
        }
    }
    let row = decided(world, row).await?;
    let is_his = row
        .checker
        .as_ref()
        .is_some_and(|checker| checker.key == by.key);
    match row.state {
        ApprovalState::Rejected if is_his && row.reason.as_deref() == Some(reason) => Ok(row),
        _ => Err(is_decided(&row)),
    }
}

fn check_persons(row: &ApprovalRow, operator: &Operator) -> Result<(), ApiError> {
    if is_another(row, operator.key_id, &operator.hands()) {
        return Ok(());
    }
    let detail = "whoever asked for it does not decide it: another person's key is needed, which no hand of his made";
    Err(ApiError::new(Code::SamePerson, detail))
}

/// The approval as it is by now, which does not wait any more: an overdue one expires here and now.
async fn decided(world: &World, row: ApprovalRow) -> Result<ApprovalRow, ApiError> {
    if row.state != ApprovalState::Pending {
        return Ok(row);
    }
    let expired = expire(world, row.id).await.map_err(ApiError::unavailable)?;
    if let Some(row) = expired {
        return Ok(row);
    }
    let now = world.store.approval(row.id).await;
    let now = now.map_err(ApiError::unavailable)?;
    now.ok_or_else(|| ApiError::internal("an approval is gone"))
}

fn is_decided(row: &ApprovalRow) -> ApiError {
    let detail = format!("the approval is {} already", row.state.as_str());
    ApiError::new(Code::ApprovalDecided, detail)
}

/// Carries out what was approved, and writes down what came of it. Any number of callers may do so at once.
async fn finish(world: &World, row: ApprovalRow) -> Result<ApprovalRow, ApiError> {
    let by = MakerChecker {
        maker: row.maker.clone(),
        checker: row.checker.clone(),
    };
    let request: Request = serde_json::from_str(&row.payload).map_err(ApiError::internal)?;
    let command = request.command(world, &id_text(row.id), by).await?;
    let outcome = world.registry.execute(&row.player, command).await?;
    let result = match outcome {
        Ok(Reply::Settled(settled)) => {
            let receipt = settled.receipts.into_iter().next();
            let receipt = receipt.ok_or_else(|| ApiError::internal("no receipt"))?;
            Ok(receipt.transaction)
        }
        Ok(_) => return Err(ApiError::internal("no receipt")),
        Err(refusal) => {
            let failure = Failure {
                code: refusal.code.as_str().to_owned(),
                detail: refusal.detail,
            };
            Err(serde_json::to_string(&failure).map_err(ApiError::internal)?)
        }
    };
    let finished = world
        .store
        .finish_approval(
            row.id,
            result.as_ref().copied().map_err(String::as_str),
            world.clock.now(),
        )
        .await
        .map_err(ApiError::unavailable)?;
    if let Some(row) = finished {
        note_outcome(row.kind, row.state.as_str());
        return Ok(row);
    }
    // Somebody else wrote it down.
    let now = world.store.approval(row.id).await;
    let now = now.map_err(ApiError::unavailable)?;
    now.ok_or_else(|| ApiError::internal("an approval is gone"))
}

/// Lets what is overdue expire, and carries out what was approved a while ago and has no end: some server stopped
/// in between.
///
/// # Errors
/// The database did not answer.
pub async fn sweep(world: &World) -> Result<(), StoreError> {
    let now = world.clock.now();
    let settings = &world.config.approvals;
    let batch = settings.sweep_batch_max;
    for id in world.store.approvals_due(now, batch).await? {
        expire(world, id).await?;
    }
    let before = now.plus_seconds(-settings.finish_after_s);
    for row in world.store.unfinished_approvals(before, batch).await? {
        let id = row.id;
        if let Err(error) = finish(world, row).await {
            tracing::warn!(approval = %id_text(id), %error, "an approved request has no outcome yet");
        }
    }
    Ok(())
}

/// `None`: it may wait longer, or is decided.
async fn expire(world: &World, id: Uuid) -> Result<Option<ApprovalRow>, StoreError> {
    let now = world.clock.now();
    let note = AuditNote {
        id: world.ids.uuid(),
        at: now,
        action: AuditAction::ApprovalExpired,
        actor: AuditActor {
            kind: "server",
            id: "approvals".to_owned(),
            person: None,
            address: None,
        },
        subject: subject(id),
        detail: json!({}),
    };
    let expired = world
        .store
        .decide_approval(id, Verdict::Expire, now, &note)
        .await?;
    if let Some(row) = &expired {
        note_outcome(row.kind, "expired");
    }
    Ok(expired)
}

fn subject(id: Uuid) -> String {
    format!("approval/{}", id_text(id))
}

fn note_outcome(kind: ApprovalKind, outcome: &'static str) {
    metrics::counter!("pitboss_approvals_total", "kind" => kind.as_str(), "outcome" => outcome)
        .increment(1);
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::{By, Timestamp};

    use super::*;

    #[test]
    fn a_person_is_the_same_however_his_name_is_written_and_whatever_key_he_made() {
        let asked = |hands: &[String]| ApprovalRow {
            id: Uuid::nil(),
            kind: ApprovalKind::Adjustment,
            state: ApprovalState::Pending,
            player: PlayerId::new("alice").unwrap(),
            payload: String::new(),
            maker: By {
                key: Uuid::from_u128(1),
                person: "Mary".to_owned(),
            },
            maker_hands: hands.to_vec(),
            checker: None,
            reason: None,
            failure: None,
            transaction: None,
            created_at: Timestamp::from_micros(0),
            expires_at: Timestamp::from_micros(0),
            decided_at: None,
            finished_at: None,
        };
        let row = asked(&person::hands("Mary", &[]));
        let other = Uuid::from_u128(2);
        assert!(is_another(&row, other, &person::hands("Carl", &[])));
        assert!(!is_another(
            &row,
            row.maker.key,
            &person::hands("Carl", &[])
        ));
        for (name, issuers) in [
            ("Mary", &[][..]),
            (" mary ", &[]),
            ("MARY", &[]),
            ("Carl", &["mary".to_owned()]),
            (" ", &[]),
        ] {
            assert!(
                !is_another(&row, other, &person::hands(name, issuers)),
                "{name} {issuers:?}"
            );
        }
    }

    #[test]
    fn an_id_reads_back_as_it_was_written() {
        let id = Uuid::from_u128(0xabc);
        assert_eq!(parse_id(&id_text(id)), Some(id));
        for wrong in [
            "",
            "apr_",
            "abc",
            "apr_00000000000000000000000000000ABC",
            "apr_00000000-0000-0000-0000-000000000abc",
            "wh_00000000000000000000000000000abc",
        ] {
            assert_eq!(parse_id(wrong), None, "{wrong}");
        }
    }
}
