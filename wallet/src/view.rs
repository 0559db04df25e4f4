//! What people and programs are shown of a player's money: decimal text beside its currency.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Balance, Currency, GameId, Kind, Money, ProviderId, Round, RoundId, RoundState, Timestamp,
    Wallet,
};

/// What a player has in one currency: `{"currency":"EUR","cash":"12.50","bonus":"0.00","total":"12.50"}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Balance")]
pub struct BalanceView {
    pub currency: Currency,
    /// Money that may be withdrawn.
    pub cash: Money,
    /// Bonus money, and what was won with it.
    pub bonus: Money,
    /// Cash and bonus together.
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Wallet")]
pub struct WalletView {
    pub currency: Currency,
    /// The player's own money.
    pub cash: Money,
    /// Bonus money, without what was won with it.
    pub bonus: Money,
    /// What was won with bonus money and is not the player's own yet.
    pub restricted_winnings: Money,
    /// Cash, bonus and restricted winnings together.
    pub total: Money,
    /// Cash, less what the player owes.
    pub withdrawable: Money,
    /// What withdrawals that are not paid yet hold, with their fees; not part of the total.
    pub withdrawal_hold: Money,
    /// Stakes in rounds that are open; not part of the total.
    pub held_in_rounds: Money,
    /// What the player owes, as a positive amount.
    pub owed: Money,
}

impl From<&Wallet> for WalletView {
    fn from(wallet: &Wallet) -> Self {
        let money = |units| Money::new(units, wallet.currency);
        Self {
            currency: wallet.currency,
            cash: money(wallet.cash),
            bonus: money(wallet.bonus),
            restricted_winnings: money(wallet.winnings),
            total: money(wallet.balance().total()),
            withdrawable: money(wallet.withdrawable()),
            withdrawal_hold: money(
                wallet
                    .withdrawal_hold
                    .saturating_add(wallet.fee_hold)
                    .saturating_add(wallet.in_transit),
            ),
            held_in_rounds: money(wallet.held),
            owed: money(wallet.receivable.saturating_neg()),
        }
    }
}

/// A round, with what is still open in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(rename = "Round")]
pub struct RoundView {
    pub provider: ProviderId,
    pub game: GameId,
    pub round: RoundId,
    pub state: RoundState,
    pub currency: Currency,
    /// Bets that stand.
    pub bets: usize,
    /// Wins that stand.
    pub wins: usize,
    /// Sum of the bets that stand.
    pub stake: Money,
    /// Sum of the wins that stand.
    pub won: Money,
    /// The stake while the round is open, then 0.
    pub held: Money,
    pub opened_at: Timestamp,
    /// Since when it takes no more bets; absent while it is open.
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
