//! INV-1 to INV-9 on what is durable, each by its number.
//!
//! They read rows, postings, rounds and events; they know neither requests nor policies, so that a wallet and a
//! reference that are wrong in the same way do not get past them.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use pitboss_wallet::{
    Account, BalanceView, Currency, Event, Kind, Payment, PlayerId, PlayerState, Round, RoundState,
    Transaction, TransactionScope, TransactionState, WithdrawalState,
};

use crate::harness::Ledger;

/// Who reads a player's events and nothing else.
#[derive(Debug, Clone, Default)]
pub struct Follower {
    pub last_seq: i64,
    /// What is wrong with what was read, if anything.
    pub complaint: Option<String>,
    balances: HashMap<String, serde_json::Value>,
}

impl Follower {
    /// Reads what is new.
    pub fn read(&mut self, events: &[Arc<Event>]) {
        let read = usize::try_from(self.last_seq).unwrap();
        for event in &events[read..] {
            if event.seq != self.last_seq + 1 {
                self.complaint = Some(format!("{} after {}", event.seq, self.last_seq));
            }
            self.last_seq += 1;
            let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
            if envelope["seq"] != event.seq {
                self.complaint = Some(format!("{} says {}", event.seq, envelope["seq"]));
            }
            let balance = &envelope["data"]["balance"];
            if let Some(currency) = balance["currency"].as_str() {
                self.balances.insert(currency.to_owned(), balance.clone());
            }
        }
    }

    fn balance(&self, currency: Currency) -> Option<&serde_json::Value> {
        self.balances.get(currency.code())
    }
}

/// What is durable, to be looked at.
pub struct Evidence<'a> {
    pub rows: Vec<(&'a PlayerId, &'a Transaction)>,
    pub rounds: Vec<(&'a PlayerId, &'a Round)>,
    pub payments: Vec<(&'a PlayerId, &'a Payment)>,
    pub players: Vec<PlayerState>,
    /// One for each player, in the same order.
    pub followers: &'a [Follower],
}

impl<'a> Evidence<'a> {
    pub fn of(ledger: &'a Ledger, players: &'a [PlayerId], followers: &'a [Follower]) -> Self {
        let rounds = players
            .iter()
            .flat_map(|of| ledger.rounds_of(of).map(move |round| (of, round)));
        Self {
            rows: ledger.rows().collect(),
            rounds: rounds.collect(),
            payments: ledger.payments().collect(),
            players: players.iter().map(|of| ledger.load(of)).collect(),
            followers,
        }
    }
}

pub type Check = fn(&Evidence<'_>) -> Result<(), String>;

pub const ALL: [(&str, Check); 9] = [
    ("INV-1", inv_1_postings_sum_to_zero),
    ("INV-2", inv_2_balances_are_the_sum_of_postings),
    ("INV-3", inv_3_nothing_but_receivable_is_owed),
    ("INV-4", inv_4_one_key_moves_once),
    ("INV-5", inv_5_a_rollback_is_its_bet_backwards),
    ("INV-6", inv_6_nothing_goes_back_twice),
    ("INV-7", inv_7_the_events_replay_to_the_balances),
    ("INV-8", inv_8_a_tombstoned_key_never_moves),
    ("INV-9", inv_9_what_is_held_is_what_was_not_sent),
];

fn hold(holds: bool, breach: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(breach()) }
}

/// What a transaction moves on an account, in all.
fn moved(row: &Transaction, is_meant: impl Fn(&Account) -> bool) -> i128 {
    let postings = row.postings.iter();
    postings
        .filter(|posting| is_meant(&posting.account))
        .map(|posting| i128::from(posting.amount.units))
        .sum()
}

fn inv_1_postings_sum_to_zero(evidence: &Evidence<'_>) -> Result<(), String> {
    for (_, row) in &evidence.rows {
        let mut sums: HashMap<Currency, i128> = HashMap::new();
        for posting in &row.postings {
            *sums.entry(posting.amount.currency).or_default() += i128::from(posting.amount.units);
        }
        hold(sums.values().all(|sum| *sum == 0), || format!("{row:?}"))?;
        hold(row.postings.len() != 1, || format!("{row:?}"))?;
    }
    Ok(())
}

fn inv_2_balances_are_the_sum_of_postings(evidence: &Evidence<'_>) -> Result<(), String> {
    let mut sums: HashMap<(&PlayerId, Currency, &Account), i128> = HashMap::new();
    for (of, row) in &evidence.rows {
        for posting in &row.postings {
            let account = (*of, posting.amount.currency, &posting.account);
            *sums.entry(account).or_default() += i128::from(posting.amount.units);
        }
    }
    for player in &evidence.players {
        for wallet in &player.wallets {
            for (account, units) in [
                (Account::Cash, wallet.cash),
                (Account::Receivable, wallet.receivable),
                (Account::WithdrawalHold, wallet.withdrawal_hold),
                (Account::WithdrawalFeeHold, wallet.fee_hold),
                (Account::PspTransit, wallet.in_transit),
            ] {
                let sum = sums.get(&(&player.id, wallet.currency, &account));
                let sum = sum.copied().unwrap_or_default();
                hold(sum == i128::from(units), || {
                    format!("{wallet:?}: the postings on {account} come to {sum}")
                })?;
            }
        }
    }
    Ok(())
}

fn inv_3_nothing_but_receivable_is_owed(evidence: &Evidence<'_>) -> Result<(), String> {
    for player in &evidence.players {
        for wallet in &player.wallets {
            let holds = [wallet.withdrawal_hold, wallet.fee_hold, wallet.in_transit];
            let is_owed = wallet.cash < 0
                || wallet.held < 0
                || wallet.receivable > 0
                || holds.iter().any(|units| *units < 0);
            hold(!is_owed, || format!("{wallet:?}"))?;
        }
    }
    for (_, row) in &evidence.rows {
        let of_bet = row.key.kind == Kind::Bet;
        for posting in &row.postings {
            let receivable = posting.account == Account::Receivable;
            let below = posting.balance_after.is_some_and(|after| after < 0);
            hold(!(below && !receivable || of_bet && receivable), || {
                format!("{row:?}")
            })?;
        }
    }
    Ok(())
}

/// The key as T1 completes it.
fn full_key<'a>(of: &'a PlayerId, row: &'a Transaction) -> impl Eq + std::hash::Hash + use<'a> {
    let owner = (row.key.scope == TransactionScope::Player).then_some(of);
    (owner, &row.key.provider, row.key.kind, &row.key.external_id)
}

fn inv_4_one_key_moves_once(evidence: &Evidence<'_>) -> Result<(), String> {
    let mut keys = HashSet::new();
    for (of, row) in &evidence.rows {
        hold(keys.insert(full_key(of, row)), || {
            format!("twice: {:?}", row.key)
        })?;
        let told = if row.state == TransactionState::Applied {
            i128::from(row.receipt.units)
        } else {
            0
        };
        let expected = match row.key.kind {
            Kind::Deposit | Kind::Win | Kind::Adjustment => told,
            Kind::WithdrawalReturn => told,
            Kind::Bet | Kind::DepositReversal => -told,
            // Either nothing moves, or from one account of the player to another.
            Kind::CloseRound
            | Kind::DepositRequest
            | Kind::Withdrawal
            | Kind::WithdrawalRelease
            | Kind::WithdrawalPayout => 0,
            // With the fee, which the record does not tell: see INV-9.
            Kind::WithdrawalPaid | Kind::WithdrawalConfiscation => continue,
            // Either way; INV-5 and INV-6 say which.
            Kind::Rollback | Kind::VoidRound => continue,
        };
        let player = moved(row, Account::is_player);
        hold(player == expected, || {
            format!("tells {expected} and moves {player}: {row:?}")
        })?;
    }
    Ok(())
}

fn inv_5_a_rollback_is_its_bet_backwards(evidence: &Evidence<'_>) -> Result<(), String> {
    let by_id: HashMap<_, _> = evidence.rows.iter().map(|(_, row)| (row.id, row)).collect();
    for (_, row) in &evidence.rows {
        if row.key.kind != Kind::Rollback {
            continue;
        }
        let Some(target) = row.reverses else {
            hold(row.postings.is_empty(), || format!("from nowhere: {row:?}"))?;
            continue;
        };
        let target = by_id[&target];
        // Less than all goes back by policy, or nothing when a void was first.
        let part = i128::from(row.receipt.units);
        let whole = i128::from(target.receipt.units);
        let sign = if target.key.kind == Kind::Bet { 1 } else { -1 };
        let cash = |account: &Account| *account == Account::Cash;
        let house = |account: &Account| !account.is_player();
        let backwards = part <= whole
            && moved(row, Account::is_player) == sign * part
            && moved(row, house) == -sign * part
            && (target.key.kind == Kind::Win || moved(row, cash) == part);
        hold(backwards, || format!("{row:?} for {target:?}"))?;
    }
    Ok(())
}

fn inv_6_nothing_goes_back_twice(evidence: &Evidence<'_>) -> Result<(), String> {
    let mut reversed = HashSet::new();
    for (_, row) in &evidence.rows {
        if let Some(target) = row.reverses {
            hold(reversed.insert(target), || format!("again: {row:?}"))?;
        }
    }
    // What the house has of a round is what stands in it, however often and in whatever order it was asked for.
    for (of, round) in &evidence.rounds {
        let standing = |kind| -> i128 {
            let entries = round.entries.iter().filter(|entry| entry.kind == kind);
            entries
                .map(|entry| i128::from(entry.standing_units()))
                .sum()
        };
        let stands = standing(Kind::Bet) - standing(Kind::Win);
        let rows = evidence
            .rows
            .iter()
            .filter(|(player, row)| player == of && row.round.as_ref() == Some(&round.key));
        let house: i128 = rows
            .map(|(_, row)| moved(row, |account| !account.is_player()))
            .sum();
        hold(house == stands, || {
            format!("the house has {house}, {stands} stands: {round:?}")
        })?;
        hold(round.state != RoundState::Voided || stands == 0, || {
            format!("{round:?}")
        })?;
    }
    Ok(())
}

fn inv_7_the_events_replay_to_the_balances(evidence: &Evidence<'_>) -> Result<(), String> {
    for (player, follower) in evidence.players.iter().zip(evidence.followers) {
        if let Some(complaint) = &follower.complaint {
            return Err(complaint.clone());
        }
        hold(follower.last_seq == player.last_event, || {
            format!("{} of {} events", follower.last_seq, player.last_event)
        })?;
        for wallet in &player.wallets {
            let balance = serde_json::to_value(BalanceView::from(wallet.balance())).unwrap();
            let followed = follower.balance(wallet.currency);
            hold(followed == Some(&balance), || {
                format!("{followed:?} for {balance}")
            })?;
        }
    }
    Ok(())
}

fn inv_8_a_tombstoned_key_never_moves(evidence: &Evidence<'_>) -> Result<(), String> {
    let tombstones = evidence
        .rows
        .iter()
        .filter(|(_, row)| row.state == TransactionState::Tombstone);
    for (of, tombstone) in tombstones {
        hold(tombstone.postings.is_empty(), || format!("{tombstone:?}"))?;
        let key = full_key(of, tombstone);
        let mut same = evidence.rows.iter();
        let moving = same.find(|(of, row)| full_key(of, row) == key && !row.postings.is_empty());
        hold(moving.is_none(), || format!("{moving:?}"))?;
        let entry = evidence.rounds.iter().find(|(player, round)| {
            player == of
                && round.key.provider == tombstone.key.provider
                && round
                    .entry(tombstone.key.kind, &tombstone.key.external_id)
                    .is_some()
        });
        hold(entry.is_none(), || format!("{entry:?} for {tombstone:?}"))?;
    }
    Ok(())
}

/// What a hold may end with: one of these, once.
const ENDS: [Kind; 3] = [
    Kind::WithdrawalRelease,
    Kind::WithdrawalPaid,
    Kind::WithdrawalConfiscation,
];

fn inv_9_what_is_held_is_what_was_not_sent(evidence: &Evidence<'_>) -> Result<(), String> {
    let withdrawals = || {
        let payments = evidence.payments.iter();
        payments.filter_map(|(of, payment)| match payment {
            Payment::Withdrawal(withdrawal) => Some((*of, withdrawal)),
            Payment::Deposit(_) => None,
        })
    };
    for player in &evidence.players {
        for wallet in &player.wallets {
            let (mut held, mut fees, mut sent) = (0_i128, 0_i128, 0_i128);
            let his = withdrawals().filter(|(of, withdrawal)| {
                **of == player.id && withdrawal.currency == wallet.currency
            });
            for (_, withdrawal) in his {
                let units = i128::from(withdrawal.units);
                if withdrawal.state.is_held() {
                    held += units;
                } else if withdrawal.state.is_in_transit() {
                    sent += units;
                } else {
                    continue;
                }
                fees += i128::from(withdrawal.fee_units);
            }
            let there = (wallet.withdrawal_hold, wallet.fee_hold, wallet.in_transit);
            let there = (
                i128::from(there.0),
                i128::from(there.1),
                i128::from(there.2),
            );
            hold(there == (held, fees, sent), || {
                format!("held, fees, sent: {there:?} for {:?}", (held, fees, sent))
            })?;
        }
    }
    for (of, withdrawal) in withdrawals() {
        let id = withdrawal.id.to_string();
        let ends: Vec<_> = evidence
            .rows
            .iter()
            .filter(|(by, row)| {
                *by == of && ENDS.contains(&row.key.kind) && row.key.external_id.as_str() == id
            })
            .collect();
        let is_open = withdrawal.state.is_held() || withdrawal.state.is_in_transit();
        let is_split = withdrawal.state == WithdrawalState::Split;
        hold(ends.len() == usize::from(!is_open && !is_split), || {
            format!("{withdrawal:?} ends with {ends:?}")
        })?;
        let whole = i128::from(withdrawal.units) + i128::from(withdrawal.fee_units);
        for (_, row) in ends {
            let let_go = -moved(row, |account| {
                account.is_player() && !matches!(account, Account::Cash | Account::Receivable)
            });
            hold(let_go == whole, || format!("{row:?} for {withdrawal:?}"))?;
        }
        let was_sent = withdrawal.state.is_in_transit()
            || matches!(
                withdrawal.state,
                WithdrawalState::Paid | WithdrawalState::Failed | WithdrawalState::Returned
            );
        let enough = withdrawal.approvers.len() >= usize::from(withdrawal.approvers_needed);
        hold(!was_sent || enough, || {
            format!("sent too soon: {withdrawal:?}")
        })?;
    }
    Ok(())
}
