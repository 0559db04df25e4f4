//! The rows that reports add up, in ledger units.

use pitboss_wallet::{Currency, GameId, PlayerId, ProviderId};
use tokio_postgres::Row;

use crate::{
    StoreError,
    document::{id, named},
    store::get,
};

/// Play and its money, by what was asked for. Sums have more bits than amounts: nothing is ever cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevenueRow {
    pub currency: Currency,
    /// What it was told apart by; of an adjustment there is no game.
    pub player: Option<PlayerId>,
    pub provider: Option<ProviderId>,
    pub game: Option<GameId>,
    /// `2026-01-31`.
    pub day: Option<String>,
    pub bets: i64,
    pub wins: i64,
    pub rollbacks: i64,
    pub voids: i64,
    /// Rounds that began.
    pub rounds: i64,
    /// Players who bet.
    pub players: i64,
    pub stake_cash: i128,
    pub stake_bonus: i128,
    pub won_cash: i128,
    pub won_bonus: i128,
    /// Stakes and wins that rollbacks and voids took back.
    pub stake_back_cash: i128,
    pub stake_back_bonus: i128,
    pub won_back_cash: i128,
    pub won_back_bonus: i128,
    pub adjustments: i128,
    /// Bonus money that became cash.
    pub bonus_cost: i128,
    /// Stakes in games whose theoretical return is known.
    pub stake_with_rtp: i128,
    /// Their sum, each times that return in millionths of a percent.
    pub stake_times_rtp: i128,
}

impl RevenueRow {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let optional = |column: &str| get::<Option<&str>>(row, column);
        let sum = |column: &str| units(row, column);
        Ok(Self {
            currency: named("currency", get(row, "currency")?, Currency::from_code)?,
            player: id(optional("player_id")?.map(PlayerId::new).transpose())?,
            provider: id(optional("provider_id")?.map(ProviderId::new).transpose())?,
            game: id(optional("game_id")?.map(GameId::new).transpose())?,
            day: get(row, "day")?,
            bets: get(row, "bets")?,
            wins: get(row, "wins")?,
            rollbacks: get(row, "rollbacks")?,
            voids: get(row, "voids")?,
            rounds: get(row, "rounds")?,
            players: get(row, "players")?,
            stake_cash: sum("stake_cash")?,
            stake_bonus: sum("stake_bonus")?,
            won_cash: sum("won_cash")?,
            won_bonus: sum("won_bonus")?,
            stake_back_cash: sum("stake_back_cash")?,
            stake_back_bonus: sum("stake_back_bonus")?,
            won_back_cash: sum("won_back_cash")?,
            won_back_bonus: sum("won_back_bonus")?,
            adjustments: sum("adjustments")?,
            bonus_cost: sum("bonus_cost")?,
            stake_with_rtp: sum("stake_with_rtp")?,
            stake_times_rtp: sum("stake_times_rtp")?,
        })
    }
}

/// What all players have in a currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiabilityRow {
    pub currency: Currency,
    pub cash: i128,
    pub bonus: i128,
    pub winnings: i128,
    pub hold: i128,
    /// What they owe, as a negative sum.
    pub receivable: i128,
    /// The stakes in open rounds; `None` of an earlier moment.
    pub rounds: Option<i128>,
}

impl LiabilityRow {
    pub(super) fn read(row: &Row) -> Result<Self, StoreError> {
        let rounds: Option<&str> = get(row, "rounds")?;
        Ok(Self {
            currency: named("currency", get(row, "currency")?, Currency::from_code)?,
            cash: units(row, "cash")?,
            bonus: units(row, "bonus")?,
            winnings: units(row, "winnings")?,
            hold: units(row, "hold")?,
            receivable: units(row, "receivable")?,
            rounds: rounds
                .map(|text| text.parse().map_err(StoreError::corrupt))
                .transpose()?,
        })
    }
}

/// A sum that the database gives as text.
fn units(row: &Row, column: &str) -> Result<i128, StoreError> {
    get::<&str>(row, column)?
        .parse()
        .map_err(StoreError::corrupt)
}
