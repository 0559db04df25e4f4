//! Wallets and deposits.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Path};
use pitboss_providers::Code;
use pitboss_wallet::{
    BalanceView, Command, Currency, Deposit, ExternalId, Money, Reply, TransactionId, WalletView,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::player_id;
use crate::{
    access::Resource,
    http::{
        ApiError, List,
        auth::Operator,
        body::Body,
        idempotency::{self, Answer},
        route::{Route, get, post},
    },
};

/// The routes of this module.
pub fn routes() -> Vec<Route> {
    vec![
        get("/v1/players/{id}/wallets", Resource::Players, wallets)
            .summary("Gets a player's wallets, each kind of money apart")
            .answers::<List<'_, WalletView>>(200)
            .refuses(&[Code::UnknownPlayer]),
        post("/v1/players/{id}/wallets", Resource::Players, open)
            .summary("Opens a wallet in another currency; one that is open stays as it is")
            .body::<NewWallet>()
            .example(json!({ "currency": "SEK" }))
            .answers::<List<'_, WalletView>>(200)
            .refuses(&[Code::UnknownPlayer, Code::CurrencyMismatch]),
        post("/v1/players/{id}/deposits", Resource::Deposits, deposit)
            .summary("Puts money into a player's wallet, once for each reference")
            .body::<NewDeposit>()
            .example(json!({ "amount": "50.00", "currency": "EUR", "reference": "d-1001" }))
            .answers::<DepositView>(201)
            .answers::<DepositView>(200)
            .refuses(&[
                Code::UnknownPlayer,
                Code::PlayerBlocked,
                Code::CurrencyMismatch,
                Code::TransactionMismatch,
            ]),
    ]
}

/// `GET /v1/players/{id}/wallets`
async fn wallets(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let snapshot = operator.world.registry.view(&player_id(&id)?).await?;
    Ok(HttpResponse::Ok().json(List {
        data: &snapshot.wallets,
        next: None,
    }))
}

/// A wallet to be opened.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewWallet {
    currency: Currency,
}

/// All wallets of the player, as a list that can be kept.
#[derive(Serialize)]
struct Wallets {
    data: Vec<WalletView>,
    next: Option<String>,
}

/// `POST /v1/players/{id}/wallets`
async fn open(
    request: HttpRequest,
    operator: Operator,
    id: Path<String>,
    Body(body): Body,
) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let id = player_id(&id)?;
    idempotency::run(&request, &operator, &body, async |new: NewWallet| {
        world
            .execute(&id, Command::OpenAccount(new.currency))
            .await?;
        let wallets = Wallets {
            data: world.registry.view(&id).await?.wallets,
            next: None,
        };
        Ok(Answer::new(StatusCode::OK, wallets))
    })
    .await
}

/// Money that came from outside.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewDeposit {
    /// Major units as decimal text, above 0.
    amount: String,
    currency: Currency,
    /// The operator's own id of the deposit; unique among all deposits.
    reference: ExternalId,
}

/// A deposit as it was made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deposit")]
struct DepositView {
    transaction_id: TransactionId,
    reference: ExternalId,
    amount: Money,
    currency: Currency,
    /// Right after it.
    balance: Option<BalanceView>,
    /// The same deposit was made before; this is its answer.
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
