//! `GET /v1/rounds/{id}`: a round with all that happened in it.

use actix_web::{HttpResponse, web::Path};
use pitboss_schema::{
    AuditAction, AuditFilter, PlayedSession, RoundKeyRow, RoundRow, TransactionRow,
};
use pitboss_wallet::{
    Balance, BalanceView, ExternalId, GameId, Kind, PlayerId, RoundState, SessionId, Timestamp,
    TransactionId,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{RoundListView, of_path};
use crate::{
    http::{
        ApiError,
        auth::Operator,
        transactions::{TransactionView, moved},
    },
    world::World,
};

/// Transactions that are shown of a round; few have more than ten.
pub const TRANSACTIONS_MAX: usize = 1000;
/// Decisions of the player that are looked through for events of the round.
const EVENTS_SCAN: usize = 2000;
/// Voids of one player in one moment that are looked through in the audit log.
const NOTED_MAX: u32 = 100;
/// Sessions that are shown of a round.
const SESSIONS_MAX: usize = 20;

/// A round with all that happened in it.
#[derive(Serialize, JsonSchema)]
pub struct RoundDetail {
    #[serde(flatten)]
    round: RoundListView,
    /// Bets, wins, what took them back, the close and the void, in the order in which they were accepted.
    transactions: Vec<EntryView>,
    /// There are earlier ones: `GET /v1/transactions?player=&provider=&round=` lists all.
    transactions_left_out: bool,
    /// Who took the whole round back, and why.
    voided: Option<VoidView>,
    /// The player's game sessions of this provider that were live while the round was open, newest first: callbacks
    /// that settle a round need none, so it is not kept which of them played it.
    sessions: Vec<SessionView>,
}

/// A transaction of a round.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RoundTransaction")]
struct EntryView {
    #[serde(flatten)]
    transaction: TransactionView,
    /// The player's balance right before it.
    balance_before: Option<BalanceView>,
    /// A win that came when the round was closed already.
    late: bool,
}

/// How a round was voided.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RoundVoid")]
struct VoidView {
    at: Timestamp,
    transaction_id: TransactionId,
    /// The id under which it was asked for.
    provider_transaction_id: ExternalId,
    /// Why, in the words of whoever voided it.
    reason: Option<String>,
    /// Who asked for it and who approved it; `null` where it was the provider.
    by: Option<Value>,
}

/// A game session in which the round may have been played.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RoundSession")]
struct SessionView {
    session: SessionId,
    game: Option<GameId>,
    created_at: Timestamp,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
}

impl From<PlayedSession> for SessionView {
    fn from(session: PlayedSession) -> Self {
        Self {
            session: session.id,
            game: session.game,
            created_at: session.created_at,
            expires_at: session.expires_at,
            ended_at: session.ended_at,
        }
    }
}

/// The balance right before a transaction.
pub fn balance_before(row: &TransactionRow) -> Option<Balance> {
    let (cash, bonus) = moved(&row.postings);
    row.receipt.balance.map(|after| Balance {
        cash: after.cash.saturating_sub(cash),
        bonus: after.bonus.saturating_sub(bonus),
        ..after
    })
}

/// What happened in a round, oldest first, and whether some of it was left out.
pub async fn transactions_of(
    world: &World,
    key: &RoundKeyRow,
) -> Result<(Vec<TransactionRow>, bool), ApiError> {
    let found = world
        .store
        .round_transactions(key, i64::MAX, TRANSACTIONS_MAX + 1);
    let mut rows = found.await.map_err(ApiError::unavailable)?;
    let left_out = rows.len() > TRANSACTIONS_MAX;
    rows.truncate(TRANSACTIONS_MAX);
    rows.reverse();
    Ok((rows, left_out))
}

/// The events that tell of a round, those that are kept.
pub async fn events_of(
    world: &World,
    key: &RoundKeyRow,
    round: &RoundRow,
) -> Result<Vec<Value>, ApiError> {
    let time = (round.opened_at, round.touched_at);
    let events = world.store.round_events(key, time, EVENTS_SCAN).await;
    let events = events.map_err(ApiError::unavailable)?;
    let parsed = events.iter().map(|body| serde_json::from_str(body));
    parsed.collect::<Result<_, _>>().map_err(ApiError::internal)
}

pub async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (key, round) = of_path(&operator, &id).await?;
    let (rows, left_out) = transactions_of(world, &key).await?;
    let voided = if round.state == RoundState::Voided {
        voided(world, &key, &round, &rows).await?
    } else {
        None
    };
    let ended = round.closed_at.unwrap_or_else(|| world.clock.now());
    let sessions = world
        .store
        .round_sessions(
            &key,
            (round.opened_at, ended),
            world.config.sessions.game_s,
            SESSIONS_MAX,
        )
        .await
        .map_err(ApiError::unavailable)?;
    // A voided round was closed by the void: what came late before that cannot be told any more.
    let closed_at = round
        .closed_at
        .filter(|_| round.state == RoundState::Closed);
    let entry = |row: TransactionRow| EntryView {
        balance_before: balance_before(&row).map(BalanceView::from),
        late: row.kind == Kind::Win && closed_at.is_some_and(|closed| row.created_at > closed),
        transaction: row.into(),
    };
    Ok(HttpResponse::Ok().json(RoundDetail {
        round: round.into(),
        transactions: rows.into_iter().map(entry).collect(),
        transactions_left_out: left_out,
        voided,
        sessions: sessions.into_iter().map(SessionView::from).collect(),
    }))
}

async fn voided(
    world: &World,
    key: &RoundKeyRow,
    round: &RoundRow,
    rows: &[TransactionRow],
) -> Result<Option<VoidView>, ApiError> {
    // Later ones found nothing left to take back.
    let Some(void) = rows.iter().find(|row| row.kind == Kind::VoidRound) else {
        return Ok(None);
    };
    let events = events_of(world, key, round).await?;
    let mut events = events.into_iter();
    let event = events.find(|event| event["type"] == "game.round_voided");
    let told = match event {
        Some(mut event) => Some(event["data"].take()),
        // Events are kept for a while, entries of the audit log for ever; they come a moment later.
        None => noted(world, &key.player, void).await?,
    };
    Ok(Some(VoidView::of(void, told.as_ref())))
}

/// What the audit log tells of a void: the data of its event.
async fn noted(
    world: &World,
    player: &PlayerId,
    void: &TransactionRow,
) -> Result<Option<Value>, ApiError> {
    let at = void.created_at;
    let filter = AuditFilter {
        action: Some(AuditAction::RoundVoided),
        subject: Some(format!("player/{player}")),
        actor: None,
        from: Some(at),
        to: Some(Timestamp::from_micros(at.as_micros().saturating_add(1))),
    };
    let entries = world.store.audit_entries(&filter, None, NOTED_MAX).await;
    let entries = entries.map_err(ApiError::unavailable)?.into_iter();
    let mut details = entries.filter_map(|entry| serde_json::from_str::<Value>(&entry.detail).ok());
    let transaction = void.id.to_string();
    let found = details.find(|detail| detail["transaction"] == transaction);
    Ok(found.map(|mut detail| detail["data"].take()))
}

impl VoidView {
    fn of(void: &TransactionRow, told: Option<&Value>) -> Self {
        Self {
            at: void.created_at,
            transaction_id: void.id,
            provider_transaction_id: void.external_id.clone(),
            reason: told.and_then(|data| data["reason"].as_str().map(str::to_owned)),
            by: told
                .map(|data| data["by"].clone())
                .filter(|by| !by.is_null()),
        }
    }
}

#[cfg(test)]
mod tests {
    use pitboss_schema::PostingRow;
    use pitboss_wallet::{
        Currency, Fingerprint, Funding, Money, PlayerId, ProviderId, Receipt, TransactionState,
    };
    use serde_json::json;

    use super::*;

    fn void() -> TransactionRow {
        let eur = Currency::from_code("EUR").unwrap();
        let id = TransactionId(uuid::Uuid::from_u128(7));
        let external_id = ExternalId::new("v").unwrap();
        let leg = |account: &str, units, balance_after| PostingRow {
            account: account.to_owned(),
            units,
            balance_after,
        };
        TransactionRow {
            player: PlayerId::new("alice").unwrap(),
            number: 4,
            id,
            provider: ProviderId::new("acme").unwrap(),
            kind: Kind::VoidRound,
            external_id: external_id.clone(),
            state: TransactionState::Applied,
            amount: Some(Money::new(30, eur)),
            game: None,
            round: None,
            names_bet: None,
            reverses: None,
            reversed_by: None,
            receipt: Receipt {
                transaction: id,
                kind: Kind::VoidRound,
                external_id,
                currency: Some(eur),
                units: 30,
                funding: Funding::default(),
                balance: Some(Balance {
                    currency: eur,
                    cash: 110,
                    bonus: 15,
                }),
                tombstone: false,
            },
            reply: String::new(),
            refusal: None,
            fingerprint: Fingerprint([0; 16]),
            round_scope: None,
            // A win of 25, of which 5 became a debt, and a bet of 30, of which 10 were bonus money.
            postings: vec![
                leg("CASH", -20, Some(90)),
                leg("RECEIVABLE", -5, Some(-5)),
                leg("HOUSE:acme", 25, None),
                leg("HOUSE:acme", -30, None),
                leg("CASH", 20, Some(110)),
                leg("BONUS:7", 10, Some(15)),
            ],
            created_at: Timestamp::from_micros(5),
        }
    }

    #[test]
    fn a_void_is_told_with_its_reason_and_with_people_where_there_were_any() {
        let row = void();
        let data = json!({ "reason": "a fault of the game", "by": "ann" });
        let told = VoidView::of(&row, Some(&data));
        assert_eq!(told.reason.as_deref(), Some("a fault of the game"));
        assert_eq!(told.by, Some(json!("ann")));
        assert_eq!(told.transaction_id, row.id);
        let of_provider = VoidView::of(&row, Some(&json!({ "reason": "x", "by": null })));
        assert_eq!(
            (of_provider.reason.as_deref(), of_provider.by),
            (Some("x"), None)
        );
        let unknown = VoidView::of(&row, None);
        assert_eq!((unknown.reason, unknown.by), (None, None));
        assert_eq!(unknown.at, row.created_at);
    }

    #[test]
    fn the_balance_before_is_what_each_kind_of_money_was() {
        let before = balance_before(&void()).unwrap();
        assert_eq!((before.cash, before.bonus), (110, 5));
    }
}
