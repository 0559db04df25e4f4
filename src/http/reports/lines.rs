//! The lines of each report, and the sums and ratios in them.

use pitboss_schema::{
    AgeOfRounds, TransactionRow,
    reports::{LiabilityRow, RevenueRow},
};
use pitboss_wallet::{
    Currency, ExternalId, GameId, Kind, Money, PlayerId, ProviderId, RoundId, Timestamp,
    TransactionId, TransactionState,
};

use super::table::line;
use crate::http::amount::{Amount, percent};

line!(
    /// Play and its money.
    RevenueLine {
        /// The day, by the offset that was asked for; `null` when days were not told apart.
        day: Option<String>,
        /// All amounts of the line are in this currency.
        currency: Currency,
        /// `null` when providers were not told apart.
        provider: Option<ProviderId>,
        /// `null` when games were not told apart, and for what belongs to none.
        game: Option<GameId>,
        /// Bets that were taken.
        bets: i64,
        /// Wins that were paid, those of 0 too.
        wins: i64,
        /// Rollbacks, those that found their target taken back already too.
        rollbacks: i64,
        /// Voids of rounds.
        voids: i64,
        /// Rounds that began.
        rounds: i64,
        /// Players who bet, each once.
        players: i64,
        /// Bets, from cash.
        stake_cash: Amount,
        /// Bets, from bonus money.
        stake_bonus: Amount,
        /// Wins, to cash.
        won_cash: Amount,
        /// Wins, to bonus money.
        won_bonus: Amount,
        /// Stakes that rollbacks and voids gave back, to cash.
        stake_back_cash: Amount,
        /// Stakes that rollbacks and voids gave back, to bonus money.
        stake_back_bonus: Amount,
        /// Wins that rollbacks and voids took back, from cash or as a debt.
        won_back_cash: Amount,
        /// Wins that rollbacks and voids took back, from bonus money.
        won_back_bonus: Amount,
        /// Gross gaming revenue in cash: stakes less what was given back of them, less wins and what was taken back of these.
        ggr_cash: Amount,
        /// The same in bonus money.
        ggr_bonus: Amount,
        /// Bonus money that became cash.
        bonus_cost: Amount,
        /// Corrections by hand, as the players got them; not in any revenue.
        adjustments: Amount,
        /// Net gaming revenue: `ggr_cash` less `bonus_cost`.
        ngr: Amount,
        /// What players got back of their stakes, in percent; `null` without a stake.
        rtp_actual: Option<String>,
        /// What the games promise, in percent, weighed by the bets on each; `null` where no game tells.
        rtp_theoretical: Option<String>,
    }
);

/// What follows from a row's sums, in ledger units.
struct Derived {
    ggr_cash: i128,
    ggr_bonus: i128,
    rtp_actual: Option<String>,
}

impl Derived {
    fn of(row: &RevenueRow) -> Self {
        let stake_cash = row.stake_cash - row.stake_back_cash;
        let stake_bonus = row.stake_bonus - row.stake_back_bonus;
        let won_cash = row.won_cash - row.won_back_cash;
        let won_bonus = row.won_bonus - row.won_back_bonus;
        Self {
            ggr_cash: stake_cash - won_cash,
            ggr_bonus: stake_bonus - won_bonus,
            rtp_actual: percent(won_cash + won_bonus, stake_cash + stake_bonus),
        }
    }
}

impl From<RevenueRow> for RevenueLine {
    fn from(row: RevenueRow) -> Self {
        let amount = |units| Amount::new(units, row.currency);
        let derived = Derived::of(&row);
        // The games' returns are in millionths of a percent.
        let promised = row.stake_with_rtp.checked_mul(100 * 1_000_000);
        Self {
            bets: row.bets,
            wins: row.wins,
            rollbacks: row.rollbacks,
            voids: row.voids,
            rounds: row.rounds,
            players: row.players,
            stake_cash: amount(row.stake_cash),
            stake_bonus: amount(row.stake_bonus),
            won_cash: amount(row.won_cash),
            won_bonus: amount(row.won_bonus),
            stake_back_cash: amount(row.stake_back_cash),
            stake_back_bonus: amount(row.stake_back_bonus),
            won_back_cash: amount(row.won_back_cash),
            won_back_bonus: amount(row.won_back_bonus),
            ggr_cash: amount(derived.ggr_cash),
            ggr_bonus: amount(derived.ggr_bonus),
            bonus_cost: amount(row.bonus_cost),
            adjustments: amount(row.adjustments),
            ngr: amount(derived.ggr_cash - row.bonus_cost),
            rtp_actual: derived.rtp_actual,
            rtp_theoretical: promised.and_then(|whole| percent(row.stake_times_rtp, whole)),
            currency: row.currency,
            day: row.day,
            provider: row.provider,
            game: row.game,
        }
    }
}

line!(
    /// What a player played.
    PlayersLine {
        /// The player.
        player: Option<PlayerId>,
        /// All amounts of the line are in this currency.
        currency: Currency,
        /// Bets that were taken.
        bets: i64,
        /// Wins that were paid, those of 0 too.
        wins: i64,
        /// Rounds that began.
        rounds: i64,
        /// Bets, from cash, less what was given back.
        stake_cash: Amount,
        /// Bets, from bonus money, less what was given back.
        stake_bonus: Amount,
        /// Wins, to cash, less what was taken back.
        won_cash: Amount,
        /// Wins, to bonus money, less what was taken back.
        won_bonus: Amount,
        /// Stakes less wins, in cash.
        ggr_cash: Amount,
        /// Stakes less wins, in bonus money.
        ggr_bonus: Amount,
        /// Bonus money that became cash.
        bonus_cost: Amount,
        /// Corrections by hand, as the player got them; not in any revenue.
        adjustments: Amount,
        /// `ggr_cash` less `bonus_cost`.
        ngr: Amount,
        /// What the player got back of his stakes, in percent; `null` without a stake.
        rtp_actual: Option<String>,
    }
);

impl From<RevenueRow> for PlayersLine {
    fn from(row: RevenueRow) -> Self {
        let amount = |units| Amount::new(units, row.currency);
        let derived = Derived::of(&row);
        Self {
            bets: row.bets,
            wins: row.wins,
            rounds: row.rounds,
            stake_cash: amount(row.stake_cash - row.stake_back_cash),
            stake_bonus: amount(row.stake_bonus - row.stake_back_bonus),
            won_cash: amount(row.won_cash - row.won_back_cash),
            won_bonus: amount(row.won_bonus - row.won_back_bonus),
            ggr_cash: amount(derived.ggr_cash),
            ggr_bonus: amount(derived.ggr_bonus),
            bonus_cost: amount(row.bonus_cost),
            adjustments: amount(row.adjustments),
            ngr: amount(derived.ggr_cash - row.bonus_cost),
            rtp_actual: derived.rtp_actual,
            currency: row.currency,
            player: row.player,
        }
    }
}

line!(
    /// What players have.
    LiabilityLine {
        /// All amounts of the line are in this currency.
        currency: Currency,
        /// Cash.
        cash: Amount,
        /// Bonus money.
        bonus: Amount,
        /// Winnings that a bonus still restricts.
        winnings: Amount,
        /// Held for withdrawals.
        hold: Amount,
        /// Stakes in open rounds; `null` for an earlier moment.
        held_in_rounds: Option<Amount>,
        /// All of the above.
        total: Amount,
        /// What players owe, as a positive amount; not in `total`.
        owed_by_players: Amount,
    }
);

impl From<LiabilityRow> for LiabilityLine {
    fn from(row: LiabilityRow) -> Self {
        let amount = |units| Amount::new(units, row.currency);
        let total = row.cash + row.bonus + row.winnings + row.hold + row.rounds.unwrap_or(0);
        Self {
            currency: row.currency,
            cash: amount(row.cash),
            bonus: amount(row.bonus),
            winnings: amount(row.winnings),
            hold: amount(row.hold),
            held_in_rounds: row.rounds.map(amount),
            total: amount(total),
            owed_by_players: amount(-row.receivable),
        }
    }
}

line!(
    /// Open rounds of one age.
    OpenRoundsLine {
        /// Of the amount.
        currency: Currency,
        /// The provider account.
        provider: Option<ProviderId>,
        /// The game.
        game: Option<GameId>,
        /// `under_1h`, `under_24h`, `under_7d` or `older`: since the round was opened.
        age: String,
        /// How many they are.
        rounds: i64,
        /// Their stakes.
        held: Amount,
        /// When the first of them was opened.
        oldest: Timestamp,
    }
);

impl From<AgeOfRounds> for OpenRoundsLine {
    fn from(row: AgeOfRounds) -> Self {
        Self {
            held: Amount::new(row.held, row.currency),
            currency: row.currency,
            provider: row.provider,
            game: row.game,
            age: row.age,
            rounds: row.rounds,
            oldest: row.oldest,
        }
    }
}

line!(
    /// A transaction.
    TransactionLine {
        /// When it was decided.
        created_at: Timestamp,
        /// Our id of it.
        transaction_id: TransactionId,
        /// Whose it is.
        player: PlayerId,
        /// Counts the player's transactions.
        number: i64,
        /// What it is.
        kind: Kind,
        /// `applied`, `tombstone` or `refused`.
        state: TransactionState,
        /// The provider account; `cashier` for deposits.
        provider: ProviderId,
        /// The id that the other side gave.
        provider_transaction_id: ExternalId,
        /// The game, where there is one.
        game: Option<GameId>,
        /// The round, where there is one.
        round: Option<RoundId>,
        /// Of the amounts.
        currency: Option<Currency>,
        /// Its amount.
        amount: Option<Money>,
        /// The part of it that was cash.
        cash: Option<Money>,
        /// The part of it that was bonus money.
        bonus: Option<Money>,
        /// The player's cash right after it.
        balance_cash: Option<Money>,
        /// The player's bonus money right after it.
        balance_bonus: Option<Money>,
        /// The transaction that it takes back.
        reverses: Option<TransactionId>,
        /// The transaction that has taken it back.
        reversed_by: Option<TransactionId>,
    }
);

impl From<TransactionRow> for TransactionLine {
    fn from(row: TransactionRow) -> Self {
        let currency = row.amount.map(|amount| amount.currency);
        let money = |units| currency.map(|currency| Money::new(units, currency));
        let balance = row.receipt.balance;
        Self {
            cash: money(row.receipt.funding.cash),
            bonus: money(row.receipt.funding.bonus),
            balance_cash: balance.map(|balance| Money::new(balance.cash, balance.currency)),
            balance_bonus: balance.map(|balance| Money::new(balance.bonus, balance.currency)),
            created_at: row.created_at,
            transaction_id: row.id,
            player: row.player,
            number: row.number,
            kind: row.kind,
            state: row.state,
            provider: row.provider,
            provider_transaction_id: row.external_id,
            game: row.game,
            round: row.round,
            currency,
            amount: row.amount,
            reverses: row.reverses,
            reversed_by: row.reversed_by,
        }
    }
}
