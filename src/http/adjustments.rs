//! Asking for what needs a second person: an adjustment of a balance, and the void of a round.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use pitboss_providers::Code;
use pitboss_schema::{ApprovalRow, ApprovalState};
use pitboss_wallet::{
    AdjustmentCategory, Currency, Direction, Fact, GameId, Money, PlayerId, ProviderId, RoundId,
    RoundKey, RoundScope, RoundState,
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    ApiError,
    approvals::View,
    auth::Operator,
    body::Body,
    fields,
    idempotency::{self, Answer},
    players,
    route::{Route, post},
};
use crate::{
    access::Resource,
    approvals::{self, Adjustment, Request, VoidedRound},
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        post("/v1/adjustments", Resource::Adjustments, adjust)
            .summary("Asks for money to be given or taken by hand, as a second person approves")
            .body::<NewAdjustment>()
            .example(json!({
                "player": "alice", "currency": "EUR", "amount": "5.00", "direction": "credit",
                "reason": "for the long wait", "category": "goodwill",
            }))
            .answers::<View>(202)
            .answers::<View>(200)
            .refuses(&[Code::UnknownPlayer, Code::CurrencyMismatch]),
        post("/v1/rounds/void", Resource::Rounds, void)
            .summary("Asks for a whole round to be taken back, as a second person approves")
            .body::<NewVoid>()
            .example(json!({
                "player": "alice", "provider": "demo", "round": "r-1001", "reason": "the game failed",
            }))
            .answers::<View>(202)
            .refuses(&[
                Code::UnknownPlayer,
                Code::UnknownProvider,
                Code::UnknownBet,
                Code::RoundClosed,
            ]),
    ]
}

/// An adjustment to be approved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewAdjustment {
    player: PlayerId,
    currency: Currency,
    /// Major units as decimal text, above 0.
    amount: String,
    /// `credit` to the player, or `debit` from him.
    direction: Direction,
    /// Why, for colleagues: the player's own stream does not tell it.
    #[schemars(length(min = 1, max = 255))]
    reason: String,
    /// What it is for.
    category: AdjustmentCategory,
    /// A debit that is a correction may take more than there is: the rest is owed.
    allow_debt: Option<bool>,
}

/// `POST /v1/adjustments`
async fn adjust(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let id = id(&request, &operator)?;
    idempotency::run(&request, &operator, &body, async |new: NewAdjustment| {
        let malformed = |detail: String| ApiError::new(Code::Malformed, detail);
        let amount = Money::parse(&new.amount, new.currency)
            .map_err(|error| malformed(format!("amount: {error}")))?;
        let allow_debt = new.allow_debt.unwrap_or(false);
        let is_correction = new.category == AdjustmentCategory::Correction;
        if allow_debt && !(is_correction && new.direction == Direction::Debit) {
            let detail = "allow_debt: only a debit of the category correction may leave a debt";
            return Err(malformed(detail.to_owned()));
        }
        let adjustment = Adjustment {
            direction: new.direction,
            amount: amount.to_string(),
            currency: new.currency,
            category: new.category,
            reason: fields::reason(&new.reason)?,
            allow_debt,
        };
        adjustment.money()?;
        let snapshot = operator.world.registry.view(&new.player).await?;
        let mut wallets = snapshot.wallets.iter();
        if !wallets.any(|wallet| wallet.currency == new.currency) {
            let detail = format!("the player has no wallet in {}", new.currency);
            return Err(ApiError::new(Code::CurrencyMismatch, detail));
        }
        let wanted = Request::Adjustment(adjustment);
        answered(approvals::request(&operator, id, new.player, &wanted).await?)
    })
    .await
}

/// A round to be voided, when it is approved.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewVoid {
    player: PlayerId,
    provider: ProviderId,
    /// The provider's id of the round.
    round: RoundId,
    /// The round's game; needed where the provider's round ids are unique within a game only.
    game: Option<GameId>,
    /// Why, for colleagues: the player's own stream does not tell it.
    #[schemars(length(min = 1, max = 255))]
    reason: String,
}

/// `POST /v1/rounds/void`
async fn void(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let id = id(&request, &operator)?;
    idempotency::run(&request, &operator, &body, async |new: NewVoid| {
        let reason = fields::reason(&new.reason)?;
        let (player, void) = found(&operator, new, reason).await?;
        let wanted = Request::VoidRound(void);
        answered(approvals::request(&operator, id, player, &wanted).await?)
    })
    .await
}

/// The round that is meant, which must be there and not be voided yet.
async fn found(
    operator: &Operator,
    new: NewVoid,
    reason: String,
) -> Result<(PlayerId, VoidedRound), ApiError> {
    let world = &operator.world;
    players::row(world, &new.player).await?;
    let account = world.store.provider(&new.provider).await;
    let account = account
        .map_err(ApiError::unavailable)?
        .ok_or_else(|| ApiError::new(Code::UnknownProvider, "there is no such provider account"))?;
    let game = match (account.policy.round_scope, new.game) {
        (RoundScope::Game, None) => {
            let detail =
                "game: is needed, as this provider's round ids are unique within a game only";
            return Err(ApiError::new(Code::Malformed, detail));
        }
        (RoundScope::Game, game) => game,
        (RoundScope::Provider, _) => None,
    };
    let key = RoundKey {
        provider: new.provider.clone(),
        game,
        round: new.round.clone(),
    };
    let facts = world.ledger.find(&new.player, &[Fact::Round(key)]).await;
    let facts = facts.map_err(ApiError::unavailable)?;
    let round = facts.rounds.into_iter().find_map(|(_, round)| round);
    let round =
        round.ok_or_else(|| ApiError::new(Code::UnknownBet, "the player has no such round"))?;
    if round.state == RoundState::Voided {
        let detail = "the round is voided already";
        return Err(ApiError::new(Code::RoundClosed, detail));
    }
    let void = VoidedRound {
        provider: new.provider,
        game: round.game,
        round: new.round,
        reason,
    };
    Ok((new.player, void))
}

/// 202: it waits for a second person, or for its end; 200: one person was enough.
fn answered(row: ApprovalRow) -> Result<Answer<View>, ApiError> {
    let status = match row.state {
        ApprovalState::Pending | ApprovalState::Executing => StatusCode::ACCEPTED,
        _ => StatusCode::OK,
    };
    Ok(Answer::new(status, View::of(row)?))
}

/// The same for the same `Idempotency-Key` of a key: a request that is sent again is one request, also when its first
/// answer was never kept.
fn id(request: &actix_web::HttpRequest, operator: &Operator) -> Result<Uuid, ApiError> {
    let Some(key) = idempotency::key(request)? else {
        return Ok(operator.world.ids.uuid());
    };
    let mut hash = Sha256::new();
    hash.update(b"approval\0");
    hash.update(operator.key_id.as_bytes());
    hash.update(key.as_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Ok(Uuid::from_bytes(bytes))
}
