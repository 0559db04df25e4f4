//! What each type of event says in its `data`: one struct per type, bound to it by the table in `event`.
//!
//! These structs are what is sent, and what the published schema is made from: a field's comment is what a
//! consumer reads. What may change in them is written in `docs/events.md`.

mod payments;

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    AdjustmentCategory, BalanceView, By, Currency, Direction, ExternalId, GameId, MakerChecker,
    Money, PaymentId, PlayerStatus, ProviderId, Receipt, Round, RoundId, RoundView, Session,
    SessionEnd, SessionId, Timestamp, TransactionId, WinKind,
};

pub(crate) use payments::*;

/// `wallet.account_opened`
#[derive(Serialize, JsonSchema)]
pub(crate) struct AccountOpened {
    pub currency: Currency,
    /// All of it 0.
    pub balance: BalanceView,
}

/// `player.registered`
#[derive(Serialize, JsonSchema)]
pub(crate) struct Registered<'a> {
    /// ISO 3166-1 alpha-2; absent where the operator told none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: &'a Option<String>,
    /// A language tag, such as `de` or `pt-BR`; absent where the operator told none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: &'a Option<String>,
    /// A test account: no report counts it.
    pub test: bool,
}

/// `player.status_changed`
#[derive(Serialize, JsonSchema)]
pub(crate) struct StatusChanged<'a> {
    /// What the player may do now. Statuses may be added.
    pub status: PlayerStatus,
    /// What he might do before; the same when it was told again.
    pub from: PlayerStatus,
    /// Why, in the words of whoever changed it.
    pub reason: &'a str,
    pub by: &'a By,
}

/// `wallet.adjusted`
#[derive(Serialize, JsonSchema)]
pub(crate) struct Adjusted<'a> {
    /// The approval by which it was decided.
    pub approval: &'a ExternalId,
    /// `credit` to the player, or `debit` from him.
    pub direction: Direction,
    /// Above 0, either way.
    pub amount: Money,
    pub currency: Currency,
    /// What it is for. Categories may be added.
    pub category: AdjustmentCategory,
    /// Why, in the words of whoever asked for it.
    pub reason: &'a str,
    pub by: &'a MakerChecker,
    /// After the adjustment. A debit of more than there was is followed by `wallet.negative_balance`.
    pub balance: Option<BalanceView>,
}

/// `wallet.deposit_completed`
#[derive(Serialize, JsonSchema)]
pub(crate) struct DepositCompleted<'a> {
    pub deposit: PaymentId,
    /// The operator's own id of the deposit.
    pub reference: &'a ExternalId,
    /// The payment provider's own id, where one carried it out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider_reference: Option<&'a ExternalId>,
    pub amount: Money,
    pub currency: Currency,
    /// After the deposit.
    pub balance: Option<BalanceView>,
}

/// Where the money of a bet came from, or where a win went.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Funding")]
pub(crate) struct FundingView {
    pub cash: Money,
    pub bonus: Money,
}

/// A movement in a round: what the wallet events of play have in common.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Movement<'a> {
    pub provider: &'a ProviderId,
    /// The provider's own id of the transaction that moved the money.
    pub provider_transaction_id: &'a ExternalId,
    pub game: &'a GameId,
    pub round: &'a RoundId,
    pub amount: Money,
    pub currency: Currency,
    pub funding: FundingView,
    /// After the movement.
    pub balance: Option<BalanceView>,
    /// The round was closed before; absent when it was not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
}

impl<'a> Movement<'a> {
    pub fn of(round: &'a Round, receipt: &'a Receipt) -> Self {
        let money = |units| Money::new(units, round.currency);
        Self {
            provider: &round.key.provider,
            provider_transaction_id: &receipt.external_id,
            game: &round.game,
            round: &round.key.round,
            amount: money(receipt.units),
            currency: round.currency,
            funding: FundingView {
                cash: money(receipt.funding.cash),
                bonus: money(receipt.funding.bonus),
            },
            balance: receipt.balance.map(BalanceView::from),
            late: !round.state.is_open(),
        }
    }
}

/// `wallet.bet_debited`
#[derive(Serialize, JsonSchema)]
pub(crate) struct BetDebited<'a> {
    #[serde(flatten)]
    pub movement: Movement<'a>,
    /// The provider's id of the free round that the bet belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub free_round: Option<&'a ExternalId>,
    /// The part of the bet that goes to a jackpot, as the provider told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jackpot_contribution: Option<Money>,
}

/// `wallet.win_credited`
#[derive(Serialize, JsonSchema)]
pub(crate) struct WinCredited<'a> {
    #[serde(flatten)]
    pub movement: Movement<'a>,
    /// What the win is paid for. Kinds may be added.
    pub kind: WinKind,
    /// The provider's id of the bet that won, where it names one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bet_transaction_id: Option<&'a ExternalId>,
}

/// What a correction takes back.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Reversal<'a> {
    #[serde(flatten)]
    pub movement: Movement<'a>,
    /// Our id of the transaction that is taken back.
    pub reverses: TransactionId,
    /// The provider's id of the transaction that is taken back.
    pub target_transaction_id: &'a ExternalId,
}

/// `wallet.bet_rolled_back`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct BetRolledBack<'a>(pub Reversal<'a>);

/// `wallet.win_rolled_back`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct WinRolledBack<'a>(pub Reversal<'a>);

/// `wallet.negative_balance`
#[derive(Serialize, JsonSchema)]
pub(crate) struct NegativeBalance {
    pub currency: Currency,
    /// What the correction found missing.
    pub amount: Money,
    /// All that the player owes now.
    pub owed: Money,
    /// After the correction.
    pub balance: BalanceView,
}

/// A player's session in a game.
#[derive(Serialize, JsonSchema)]
pub(crate) struct GameSession<'a> {
    pub session: SessionId,
    pub provider: &'a Option<ProviderId>,
    pub game: &'a Option<GameId>,
    pub currency: Currency,
    /// When it ends if the player does nothing more in it.
    pub expires_at: Timestamp,
    /// The login that it was launched from; absent when the launch named none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<SessionId>,
}

impl<'a> GameSession<'a> {
    pub fn of(session: &'a Session) -> Self {
        Self {
            session: session.id,
            provider: &session.provider,
            game: &session.game,
            currency: session.currency,
            expires_at: session.expires_at,
            login: session.login,
        }
    }
}

/// A player's session in a game that is over.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EndedGameSession<'a> {
    #[serde(flatten)]
    pub session: GameSession<'a>,
    /// Why it is over. Reasons may be added.
    pub reason: SessionEnd,
}

/// A player's login.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Login {
    pub session: SessionId,
    pub currency: Currency,
    /// When it ends if the player does nothing more.
    pub expires_at: Timestamp,
}

impl Login {
    pub const fn of(session: &Session) -> Self {
        Self {
            session: session.id,
            currency: session.currency,
            expires_at: session.expires_at,
        }
    }
}

/// A player's login that is over.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EndedLogin {
    #[serde(flatten)]
    pub login: Login,
    /// Why it is over. Reasons may be added.
    pub reason: SessionEnd,
}

/// `player.logged_in`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct LoggedIn(pub Login);

/// `player.logged_out`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct LoggedOut(pub EndedLogin);

/// `player.session_expired`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct LoginExpired(pub EndedLogin);

/// `game.launched`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct Launched<'a>(pub GameSession<'a>);

/// `game.session_started`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct SessionStarted<'a>(pub GameSession<'a>);

/// `game.session_ended`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct SessionEnded<'a>(pub EndedGameSession<'a>);

/// `game.session_expired`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct SessionExpired<'a>(pub EndedGameSession<'a>);

/// `game.round_opened`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RoundOpened(pub RoundView);

/// `game.round_closed`
#[derive(Serialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RoundClosed(pub RoundView);

/// `game.round_voided`
#[derive(Serialize, JsonSchema)]
pub(crate) struct RoundVoided<'a> {
    #[serde(flatten)]
    pub round: RoundView,
    /// Why, in the words of whoever voided it.
    pub reason: &'a str,
    /// Who decided it, where people did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<&'a MakerChecker>,
    /// After everything was taken back.
    pub balance: Option<BalanceView>,
}
