//! Players, their wallets and deposits.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use pitboss_providers::Code;
use pitboss_schema::{Created, PlayerRow};
use pitboss_wallet::{
    BalanceView, Command, Currency, Deposit, ExternalId, Money, PlayerId, Reply, Timestamp,
    TransactionId, WalletView,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    ApiError, List,
    auth::Operator,
    body::Body,
    idempotency::{self, Answer},
    route::{Route, get, post},
};
use crate::{access::Resource, world::World};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        post("/v1/players", Resource::Players, create)
            .summary("Creates a player, or opens another currency for one that exists")
            .body::<NewPlayer>()
            .example(json!({ "id": "alice", "currency": "EUR" }))
            .answers::<PlayerView>(201)
            .answers::<PlayerView>(200)
            .refuses(&[Code::PlayerExists, Code::CurrencyMismatch]),
        get("/v1/players/{id}", Resource::Players, get_one)
            .summary("Gets a player with his wallets")
            .answers::<PlayerView>(200)
            .refuses(&[Code::UnknownPlayer]),
        get("/v1/players/{id}/wallets", Resource::Players, wallets)
            .summary("Gets a player's wallets")
            .answers::<List<'_, WalletView>>(200)
            .refuses(&[Code::UnknownPlayer]),
        post("/v1/players/{id}/deposits", Resource::Deposits, deposit)
            .summary("Puts money into a player's wallet, once for each reference")
            .body::<NewDeposit>()
            .example(json!({ "amount": "12.50", "currency": "EUR", "reference": "payment-1001" }))
            .answers::<DepositView>(201)
            .answers::<DepositView>(200)
            .refuses(&[
                Code::UnknownPlayer,
                Code::CurrencyMismatch,
                Code::TransactionMismatch,
            ]),
    ]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewPlayer {
    id: PlayerId,
    /// Of his first wallet, or of another one.
    currency: Currency,
    /// Two capital letters (ISO 3166-1 alpha-2).
    #[schemars(regex(pattern = r"^[A-Z]{2}$"))]
    country: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Player")]
struct PlayerView {
    id: PlayerId,
    /// `active`, or what he is blocked from.
    status: String,
    country: Option<String>,
    created_at: Timestamp,
    wallets: Vec<WalletView>,
}

/// `POST /v1/players`: creates the player, or opens another currency for one that exists.
async fn create(
    request: HttpRequest,
    operator: Operator,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    idempotency::run(&request, &operator, &body, async |new: NewPlayer| {
        if let Some(country) = &new.country
            && !(country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
        {
            let detail = "country: must be two capital letters (ISO 3166-1 alpha-2)";
            return Err(ApiError::new(Code::Malformed, detail));
        }
        let created = world
            .store
            .create_player(&new.id, new.country.as_deref())
            .await
            .map_err(ApiError::unavailable)?
            == Created::Created;
        // Before anything is written about a player who may be somebody else.
        if !created && new.country.is_some() && row(world, &new.id).await?.country != new.country {
            return Err(ApiError::new(
                Code::PlayerExists,
                "the player exists with another country",
            ));
        }
        world
            .execute(&new.id, Command::OpenAccount(new.currency))
            .await?;
        let view = view(world, &new.id).await?;
        let status = if created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        };
        Ok(Answer::new(status, view))
    })
    .await
}

/// `GET /v1/players/{id}`
async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let view = view(&operator.world, &player_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(view))
}

/// `GET /v1/players/{id}/wallets`
async fn wallets(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let snapshot = operator.world.registry.view(&player_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(List {
        data: &snapshot.wallets,
        next: None,
    }))
}

async fn row(world: &World, id: &PlayerId) -> Result<PlayerRow, ApiError> {
    let row = world
        .store
        .player(id)
        .await
        .map_err(ApiError::unavailable)?;
    row.ok_or_else(|| ApiError::new(Code::UnknownPlayer, "there is no such player"))
}

async fn view(world: &World, id: &PlayerId) -> Result<PlayerView, ApiError> {
    let row = row(world, id).await?;
    let snapshot = world.registry.view(id).await?;
    Ok(PlayerView {
        id: id.clone(),
        status: row.status.as_str().to_owned(),
        country: row.country,
        created_at: row.created_at,
        wallets: snapshot.wallets,
    })
}

/// A path's player id. One that breaks the rule of ids names nobody.
pub fn player_id(text: &str) -> Result<PlayerId, ApiError> {
    PlayerId::new(text).map_err(|_| ApiError::new(Code::UnknownPlayer, "there is no such player"))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewDeposit {
    /// In major units, as text: `12.50`.
    #[schemars(regex(pattern = r"^[0-9]+(\.[0-9]+)?$"))]
    amount: String,
    currency: Currency,
    /// Of the payment: the same reference moves the money once.
    reference: ExternalId,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deposit")]
struct DepositView {
    transaction_id: TransactionId,
    reference: ExternalId,
    amount: Money,
    currency: Currency,
    /// Right after the deposit.
    balance: Option<BalanceView>,
    /// The reference came before: this is the deposit of then.
    replayed: bool,
}

/// `POST /v1/players/{id}/deposits`: idempotent on the reference.
async fn deposit(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let id = player_id(&id)?;
    idempotency::run(&request, &operator, &body, async |new: NewDeposit| {
        let amount = Money::parse(&new.amount, new.currency)
            .map_err(|error| ApiError::new(Code::Malformed, format!("amount: {error}")))?;
        let deposit = Deposit {
            reference: new.reference.clone(),
            amount,
        };
        let reply = world.execute(&id, Command::Deposit(deposit)).await?;
        let Reply::Settled(settled) = reply else {
            return Err(ApiError::internal("no receipt"));
        };
        let Some(receipt) = settled.receipts.first() else {
            return Err(ApiError::internal("no receipt"));
        };
        let status = if settled.replayed {
            StatusCode::OK
        } else {
            StatusCode::CREATED
        };
        Ok(Answer::new(
            status,
            DepositView {
                transaction_id: receipt.transaction,
                reference: new.reference,
                amount,
                currency: new.currency,
                balance: receipt.balance.map(BalanceView::from),
                replayed: settled.replayed,
            },
        ))
    })
    .await
}
