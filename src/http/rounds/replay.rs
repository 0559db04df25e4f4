//! `GET /v1/rounds/{id}/replay`: what is kept of one play, for showing it again.
//!
//! The fields are those that regulators want of each game played (GLI-19 2.8.2), in their order. The wallet knows the
//! money, the times and the names; what only the provider knows is `null`, and his to add.

use actix_web::{HttpResponse, web::Path};
use pitboss_schema::{RoundRow, TransactionRow};
use pitboss_wallet::{
    Balance, BalanceView, Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId,
    RoundState, Timestamp, TransactionId,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::{
    detail::{balance_before, events_of, transactions_of},
    of_path, round_id,
};
use crate::http::{ApiError, amount::Amount, auth::Operator, transactions::moved};

/// When a play began and ended.
#[derive(Serialize, JsonSchema)]
struct ReplayTime {
    start: Timestamp,
    /// `null` while it is not finished.
    end: Option<Timestamp>,
}

/// A jackpot that was won.
#[derive(Serialize, JsonSchema)]
struct ReplayJackpot {
    provider_transaction_id: Value,
    amount: Value,
}

/// A step of a play.
#[derive(Serialize, JsonSchema)]
struct ReplayStep {
    at: Timestamp,
    kind: Kind,
    transaction_id: TransactionId,
    provider_transaction_id: ExternalId,
    amount: Option<Money>,
    balance: Option<BalanceView>,
}

/// One play of a game, as far as the wallet knows it.
#[derive(Serialize, JsonSchema)]
pub struct Replay {
    /// When it was played.
    time: ReplayTime,
    /// What one credit is worth: the provider's to add.
    denomination: Option<String>,
    /// The final outcome in words: what was staked and won. How it looked is the provider's to add.
    outcome: String,
    /// The player's balance before the first transaction of the play.
    balance_before: Option<BalanceView>,
    /// The player's balance after the last transaction of the play.
    balance_after: Option<BalanceView>,
    /// What was wagered of cash and stands.
    wagered_cash: Amount,
    /// What was wagered of bonus money and stands.
    wagered_bonus: Amount,
    /// What was won as cash and stands.
    won_cash: Amount,
    /// What was won as bonus money and stands.
    won_bonus: Amount,
    /// Jackpots that were won; `null` when the events that tell are no longer kept.
    jackpots: Option<Vec<ReplayJackpot>>,
    /// The player's choices: the provider's to add.
    choices: Option<Value>,
    /// Intermediate phases, such as bonus games: the provider's to add. The wallet's own steps are `steps`.
    phases: Option<Value>,
    /// Contributions to jackpots, as the provider told them; `null` when the events that tell are no longer kept.
    jackpot_contributions: Option<Vec<Value>>,
    /// Where the player was: the operator's to add.
    location: Option<String>,
    /// `open`, `interrupted`, `closed` or `voided`.
    status: RoundState,
    /// The play's own id: the provider's round.
    game_cycle: RoundId,
    /// The pay table, or the version of the game: the provider's to add.
    paytable: Option<String>,
    player: PlayerId,

    /// The round's id in this API.
    id: String,
    provider: ProviderId,
    game: GameId,
    currency: Currency,
    /// What happened, in the order in which it was accepted.
    steps: Vec<ReplayStep>,
    /// There are earlier steps, and the sums and the first balance are without them.
    steps_left_out: bool,
}

/// Money of a play that stands, in ledger units.
#[derive(Default)]
struct Sums {
    wagered_cash: i128,
    wagered_bonus: i128,
    won_cash: i128,
    won_bonus: i128,
}

impl Sums {
    /// Bets take, wins give; what takes back does the opposite, leg by leg.
    fn of(rows: &[TransactionRow]) -> Self {
        let mut sums = Self::default();
        for row in rows {
            let (cash, bonus) = moved(&row.postings);
            match row.kind {
                Kind::Bet => {
                    sums.wagered_cash -= i128::from(cash);
                    sums.wagered_bonus -= i128::from(bonus);
                }
                Kind::Win => {
                    sums.won_cash += i128::from(cash);
                    sums.won_bonus += i128::from(bonus);
                }
                _ => sums.take_back(row),
            }
        }
        sums
    }

    fn take_back(&mut self, row: &TransactionRow) {
        let own = row.postings.iter();
        for leg in own.filter(|leg| leg.balance_after.is_some()) {
            let is_cash = matches!(leg.account.as_str(), "CASH" | "RECEIVABLE");
            let units = i128::from(leg.units);
            match (units > 0, is_cash) {
                (true, true) => self.wagered_cash -= units,
                (true, false) => self.wagered_bonus -= units,
                (false, true) => self.won_cash += units,
                (false, false) => self.won_bonus += units,
            }
        }
    }
}

fn outcome(round: &RoundRow) -> String {
    let money = |units| Money::new(units, round.currency);
    let currency = round.currency;
    match round.state {
        RoundState::Voided => "voided: everything was taken back".to_owned(),
        RoundState::Closed => format!(
            "finished: staked {} {currency}, won {} {currency}",
            money(round.stake),
            money(round.won)
        ),
        RoundState::Open | RoundState::Interrupted => format!(
            "not finished: {} {currency} staked, {} {currency} won so far",
            money(round.stake),
            money(round.won)
        ),
    }
}

/// What the events of one type tell, by `read`; `None` when not one event of the round is kept.
fn told<T>(events: &[Value], read: impl Fn(&str, &Value) -> Option<T>) -> Option<Vec<T>> {
    if events.is_empty() {
        return None;
    }
    let told = events.iter().filter_map(|event| {
        let kind = event["type"].as_str()?;
        read(kind, &event["data"])
    });
    Some(told.collect())
}

pub async fn get_one(operator: Operator, id: Path<String>) -> Result<HttpResponse, ApiError> {
    let world = &operator.world;
    let (key, round) = of_path(&operator, &id).await?;
    let (rows, left_out) = transactions_of(world, &key).await?;
    let events = events_of(world, &key, &round).await?;
    let sums = Sums::of(&rows);
    let amount = |units| Amount::new(units, round.currency);
    let after = |row: &TransactionRow| row.receipt.balance;
    // A close has no balance of its own.
    let first: Option<Balance> = rows.iter().find_map(balance_before);
    let last: Option<Balance> = rows.iter().rev().find_map(after);
    let jackpots = told(&events, |kind, data| {
        let is_won = kind == "wallet.win_credited" && data["kind"] == "jackpot";
        is_won.then(|| ReplayJackpot {
            provider_transaction_id: data["provider_transaction_id"].clone(),
            amount: data["amount"].clone(),
        })
    });
    let contributions = told(&events, |_, data| {
        Some(data["jackpot_contribution"].clone()).filter(|contribution| !contribution.is_null())
    });
    let step = |row: &TransactionRow| ReplayStep {
        at: row.created_at,
        kind: row.kind,
        transaction_id: row.id,
        provider_transaction_id: row.external_id.clone(),
        amount: row.amount,
        balance: row.receipt.balance.map(BalanceView::from),
    };
    Ok(HttpResponse::Ok().json(Replay {
        time: ReplayTime {
            start: round.opened_at,
            end: round.closed_at,
        },
        denomination: None,
        outcome: outcome(&round),
        balance_before: first.map(BalanceView::from),
        balance_after: last.map(BalanceView::from),
        wagered_cash: amount(sums.wagered_cash),
        wagered_bonus: amount(sums.wagered_bonus),
        won_cash: amount(sums.won_cash),
        won_bonus: amount(sums.won_bonus),
        jackpots,
        choices: None,
        phases: None,
        jackpot_contributions: contributions,
        location: None,
        status: round.state,
        paytable: None,
        id: round_id(&key.player, &key.provider, key.scope.as_ref(), &key.round),
        steps: rows.iter().map(step).collect(),
        steps_left_out: left_out,
        player: key.player,
        provider: key.provider,
        game_cycle: key.round,
        game: round.game,
        currency: round.currency,
    }))
}
