//! What people and programs are shown of a player's money: decimal text beside its currency.

use serde::Serialize;

use crate::{
    Balance, Currency, GameId, Kind, Money, ProviderId, Round, RoundId, RoundState, Timestamp,
    Wallet,
};

/// `{"currency":"EUR","cash":"12.50","bonus":"0.00","total":"12.50"}`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BalanceView {
    pub currency: Currency,
    pub cash: Money,
    pub bonus: Money,
    pub total: Money,
}

impl From<Balance> for BalanceView {
    fn from(balance: Balance) -> Self {
        let money = |units| Money::new(units, balance.currency);
        Self {
            currency: balance.currency,
            cash: money(balance.cash),
            bonus: money(balance.bonus),
            total: money(balance.total()),
        }
    }
}

/// A wallet, each kind of money apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WalletView {
    #[serde(flatten)]
    pub balance: BalanceView,
    /// Stakes in rounds that are open.
    pub held_in_rounds: Money,
    /// What the player owes, as a positive amount.
    pub owed: Money,
}

impl From<&Wallet> for WalletView {
    fn from(wallet: &Wallet) -> Self {
        let money = |units| Money::new(units, wallet.currency);
        Self {
            balance: wallet.balance().into(),
            held_in_rounds: money(wallet.held),
            owed: money(wallet.receivable.saturating_neg()),
        }
    }
}

/// A round, with what is still open in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RoundView {
    pub provider: ProviderId,
    pub game: GameId,
    pub round: RoundId,
    pub state: RoundState,
    pub currency: Currency,
    pub bets: usize,
    pub wins: usize,
    pub stake: Money,
    pub won: Money,
    pub held: Money,
    pub opened_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
}

impl From<&Round> for RoundView {
    fn from(round: &Round) -> Self {
        let money = |units| Money::new(units, round.currency);
        let count = |kind| {
            round
                .entries
                .iter()
                .filter(|entry| entry.kind == kind && entry.is_live())
                .count()
        };
        Self {
            provider: round.key.provider.clone(),
            game: round.game.clone(),
            round: round.key.round.clone(),
            state: round.state,
            currency: round.currency,
            bets: count(Kind::Bet),
            wins: count(Kind::Win),
            stake: money(round.stake()),
            won: money(round.won()),
            held: money(round.held()),
            opened_at: round.opened_at,
            closed_at: round.closed_at,
        }
    }
}
