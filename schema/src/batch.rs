//! A batch of decisions as the parameters of `queries/commit_batch.sql`: one array of rows each, of the types
//! that the migrations create for them.

use std::borrow::Cow;

use pitboss_wallet::{
    Account, BalanceChange, Decision, Kind, PaymentChange, RoundChange, SessionChange, SessionEnd,
    Transaction, TransactionScope, TransactionState,
};
use postgres_types::ToSql;
use uuid::Uuid;

use crate::{StoreError, moment::Moment};

#[derive(Debug, ToSql)]
#[postgres(name = "commit_entry")]
struct Entry<'a> {
    ord: i32,
    player_id: &'a str,
    lane: i16,
    version: i64,
    last_transaction: i64,
    last_event: i64,
    status: &'static str,
    event_ids: Vec<Uuid>,
    event_types: Vec<&'static str>,
    event_bodies: Vec<&'a str>,
    at: Moment,
}

#[derive(Debug, ToSql)]
#[postgres(name = "commit_record")]
struct Record<'a> {
    ord: i32,
    player_id: &'a str,
    number: i64,
    id: Uuid,
    provider_id: &'a str,
    kind: &'static str,
    external_id: &'a str,
    provider_wide: bool,
    state: &'static str,
    fingerprint: &'a [u8],
    currency: Option<&'static str>,
    amount: Option<i64>,
    accounts: Vec<Cow<'static, str>>,
    amounts: Vec<i64>,
    balances_after: Vec<Option<i64>>,
    game_id: Option<&'a str>,
    round_scope: &'a str,
    round_id: Option<&'a str>,
    names_bet: Option<&'a str>,
    reverses: Option<Uuid>,
    reply: String,
    refusal: Option<String>,
    created_at: Moment,
}

/// A key that must be new over all players of a provider account.
#[derive(Debug, ToSql)]
#[postgres(name = "commit_key")]
struct ProviderKey<'a> {
    ord: i32,
    player_id: &'a str,
    provider_id: &'a str,
    kind: &'static str,
    external_id: &'a str,
}

#[derive(Debug, ToSql)]
#[postgres(name = "commit_round")]
struct Round<'a> {
    ord: i32,
    player_id: &'a str,
    provider_id: &'a str,
    scope_game: &'a str,
    round_id: &'a str,
    number: i64,
    game_id: &'a str,
    currency: &'static str,
    state: &'static str,
    is_open: bool,
    stake: i64,
    won: i64,
    bets: i32,
    wins: i32,
    /// Numbers of the entries that this decision adds.
    entries: Vec<i64>,
    opened_at: Moment,
    closed_at: Option<Moment>,
    touched_at: Moment,
}

#[derive(Debug, ToSql)]
#[postgres(name = "commit_balance")]
struct Balance<'a> {
    ord: i32,
    player_id: &'a str,
    currency: &'static str,
    account: Cow<'static, str>,
    amount: i64,
}

#[derive(Debug, ToSql)]
#[postgres(name = "commit_session")]
struct Session<'a> {
    ord: i32,
    player_id: &'a str,
    id: Uuid,
    kind: &'static str,
    currency: &'static str,
    provider_id: Option<&'a str>,
    game_id: Option<&'a str>,
    token_hash: Option<&'a [u8]>,
    token_expires_at: Option<Moment>,
    expires_at: Moment,
    ended_at: Option<Moment>,
    login_id: Option<Uuid>,
    idle_s: i64,
    absolute_until: Moment,
    last_active_at: Moment,
    end_reason: Option<&'static str>,
    address: Option<&'a str>,
    user_agent: Option<&'a str>,
}

#[derive(Debug, ToSql)]
#[postgres(name = "commit_payment")]
struct Payment<'a> {
    ord: i32,
    player_id: &'a str,
    id: Uuid,
    kind: &'static str,
    state: &'static str,
    reference: &'a str,
    currency: &'static str,
    amount: i64,
    fee: i64,
    due_at: Option<Moment>,
    created_at: Moment,
    changed_at: Moment,
    document: String,
}

/// Rows to be inserted, and rows to be changed.
#[derive(Debug)]
struct Rows<T> {
    new: Vec<T>,
    old: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        let (new, old) = (Vec::new(), Vec::new());
        Self { new, old }
    }
}

impl<T> Rows<T> {
    fn push(&mut self, row: T, is_new: bool) {
        let rows = if is_new { &mut self.new } else { &mut self.old };
        rows.push(row);
    }
}

/// The rows of a batch.
#[derive(Debug, Default)]
pub(crate) struct Batch<'a> {
    entries: Vec<Entry<'a>>,
    records: Vec<Record<'a>>,
    provider_keys: Vec<ProviderKey<'a>>,
    rounds: Rows<Round<'a>>,
    balances: Rows<Balance<'a>>,
    sessions: Rows<Session<'a>>,
    payments: Rows<Payment<'a>>,
}

impl<'a> Batch<'a> {
    /// Adds a decision; the statement will name it by its ordinal, from 1, if it was committed.
    pub fn push(&mut self, decision: &'a Decision) -> Result<(), StoreError> {
        let ord = i32::try_from(self.entries.len() + 1).map_err(StoreError::corrupt)?;
        let events = &decision.events;
        self.entries.push(Entry {
            ord,
            player_id: decision.player.as_str(),
            lane: i16::try_from(decision.lane).map_err(StoreError::corrupt)?,
            version: decision.expected_version,
            last_transaction: decision.last_transaction,
            last_event: decision.last_event,
            status: decision.status.as_str(),
            event_ids: events.iter().map(|event| event.id).collect(),
            event_types: events.iter().map(|event| event.kind.as_str()).collect(),
            event_bodies: events.iter().map(|event| event.body.as_str()).collect(),
            at: Moment(decision.at),
        });
        for transaction in &decision.transactions {
            self.record(ord, decision, transaction)?;
        }
        for change in &decision.rounds {
            let row = round(ord, decision, change);
            self.rounds.push(row, change.is_new);
        }
        for change in &decision.balances {
            let row = balance(ord, decision, change);
            self.balances.push(row, change.is_new);
        }
        for change in &decision.sessions {
            let row = session(ord, decision, change);
            self.sessions.push(row, change.token_hash.is_some());
        }
        for change in &decision.payments {
            let row = payment(ord, decision, change)?;
            self.payments.push(row, change.is_new);
        }
        Ok(())
    }

    fn record(
        &mut self,
        ord: i32,
        decision: &'a Decision,
        transaction: &'a Transaction,
    ) -> Result<(), StoreError> {
        let player_id = decision.player.as_str();
        let key = &transaction.key;
        let provider_wide = key.scope == TransactionScope::Provider;
        if provider_wide {
            self.provider_keys.push(ProviderKey {
                ord,
                player_id,
                provider_id: key.provider.as_str(),
                kind: key.kind.as_str(),
                external_id: key.external_id.as_str(),
            });
        }
        let currency = transaction.amount.map(|amount| amount.currency);
        let postings = &transaction.postings;
        // The row has one currency for all of them.
        if let Some(other) = postings
            .iter()
            .find(|p| Some(p.amount.currency) != currency)
        {
            let id = transaction.id.0;
            let detail = format!("transaction {id} posts {}", other.amount.currency.code());
            return Err(StoreError::Corrupt(detail));
        }
        let round = transaction.round.as_ref();
        let refusal = transaction.refusal.as_ref();
        self.records.push(Record {
            ord,
            player_id,
            number: transaction.number,
            id: transaction.id.0,
            provider_id: key.provider.as_str(),
            kind: key.kind.as_str(),
            external_id: key.external_id.as_str(),
            provider_wide,
            state: transaction.state.as_str(),
            fingerprint: &transaction.fingerprint.0,
            currency: currency.map(|currency| currency.code()),
            amount: transaction.amount.map(|amount| amount.units),
            accounts: postings.iter().map(|p| account(&p.account)).collect(),
            amounts: postings.iter().map(|p| p.amount.units).collect(),
            balances_after: postings.iter().map(|p| p.balance_after).collect(),
            game_id: transaction.game.as_ref().map(|game| game.as_str()),
            round_scope: round
                .and_then(|round| round.game.as_ref())
                .map_or("", |game| game.as_str()),
            round_id: round.map(|round| round.round.as_str()),
            names_bet: transaction.names_bet.as_ref().map(|bet| bet.as_str()),
            reverses: transaction.reverses.map(|id| id.0),
            reply: serde_json::to_string(&transaction.receipt).map_err(StoreError::corrupt)?,
            refusal: refusal
                .map(serde_json::to_string)
                .transpose()
                .map_err(StoreError::corrupt)?,
            created_at: Moment(decision.at),
        });
        Ok(())
    }

    /// The parameters of `queries/taken_entries.sql`.
    pub fn wanted(&self) -> [&(dyn ToSql + Sync); 5] {
        [
            &self.records,
            &self.provider_keys,
            &self.rounds.new,
            &self.balances.new,
            &self.sessions.new,
        ]
    }

    /// Whether it needs `queries/commit_payments.sql` besides.
    pub fn has_payments(&self) -> bool {
        !self.payments.new.is_empty() || !self.payments.old.is_empty()
    }

    /// The parameters of `queries/commit_batch.sql` with `queries/commit_payments.sql` in it.
    pub fn params_with_payments(&self) -> [&(dyn ToSql + Sync); 11] {
        let [a, b, c, d, e, f, g, h, i] = self.params();
        let payments = &self.payments;
        [a, b, c, d, e, f, g, h, i, &payments.new, &payments.old]
    }

    /// The parameters of `queries/commit_batch.sql`.
    pub fn params(&self) -> [&(dyn ToSql + Sync); 9] {
        [
            &self.entries,
            &self.records,
            &self.provider_keys,
            &self.rounds.new,
            &self.rounds.old,
            &self.balances.new,
            &self.balances.old,
            &self.sessions.new,
            &self.sessions.old,
        ]
    }
}

fn round<'a>(ord: i32, decision: &'a Decision, change: &'a RoundChange) -> Round<'a> {
    let round = &change.round;
    let live = |kind: Kind| {
        let entries = round.entries.iter();
        let live = entries.filter(|entry| entry.kind == kind && entry.is_live());
        i32::try_from(live.count()).unwrap_or(i32::MAX)
    };
    let of_this_round = || {
        let transactions = decision.transactions.iter();
        transactions.filter(|transaction| transaction.round.as_ref() == Some(&round.key))
    };
    let is_entry = |transaction: &&Transaction| {
        matches!(transaction.key.kind, Kind::Bet | Kind::Win)
            && transaction.state == TransactionState::Applied
    };
    Round {
        ord,
        player_id: decision.player.as_str(),
        provider_id: round.key.provider.as_str(),
        scope_game: round.key.game.as_ref().map_or("", |game| game.as_str()),
        round_id: round.key.round.as_str(),
        // Of the transaction that opened it, when this decision did.
        number: of_this_round()
            .next()
            .map_or(decision.last_transaction, |opened| opened.number),
        game_id: round.game.as_str(),
        currency: round.currency.code(),
        state: round.state.as_str(),
        is_open: round.state.is_open(),
        stake: round.stake(),
        won: round.won(),
        bets: live(Kind::Bet),
        wins: live(Kind::Win),
        entries: of_this_round()
            .filter(is_entry)
            .map(|transaction| transaction.number)
            .collect(),
        opened_at: Moment(round.opened_at),
        closed_at: round.closed_at.map(Moment),
        touched_at: Moment(decision.at),
    }
}

fn balance<'a>(ord: i32, decision: &'a Decision, change: &BalanceChange) -> Balance<'a> {
    Balance {
        ord,
        player_id: decision.player.as_str(),
        currency: change.currency.code(),
        account: account(&change.account),
        amount: change.units,
    }
}

fn session<'a>(ord: i32, decision: &'a Decision, change: &'a SessionChange) -> Session<'a> {
    let session = &change.session;
    Session {
        ord,
        player_id: decision.player.as_str(),
        id: session.id.0,
        kind: session.kind.as_str(),
        currency: session.currency.code(),
        provider_id: session.provider.as_ref().map(|provider| provider.as_str()),
        game_id: session.game.as_ref().map(|game| game.as_str()),
        token_hash: change.token_hash.as_ref().map(<[u8; 32]>::as_slice),
        token_expires_at: session.token_expires_at.map(Moment),
        expires_at: Moment(session.expires_at),
        ended_at: session.ended_at.map(Moment),
        login_id: session.login.map(|login| login.0),
        idle_s: session.idle_s,
        absolute_until: Moment(session.absolute_until),
        last_active_at: Moment(session.last_active_at),
        end_reason: session.end.map(SessionEnd::as_str),
        address: change.client.address.as_deref(),
        user_agent: change.client.user_agent.as_deref(),
    }
}

fn payment<'a>(
    ord: i32,
    decision: &'a Decision,
    change: &'a PaymentChange,
) -> Result<Payment<'a>, StoreError> {
    let payment = &change.payment;
    Ok(Payment {
        ord,
        player_id: decision.player.as_str(),
        id: payment.id().0,
        kind: payment.kind().as_str(),
        state: payment.state(),
        reference: payment.reference().as_str(),
        currency: payment.currency().code(),
        amount: payment.units(),
        fee: payment.fee_units(),
        due_at: payment.due_at().map(Moment),
        created_at: Moment(payment.created_at()),
        changed_at: Moment(payment.changed_at()),
        document: serde_json::to_string(payment).map_err(StoreError::corrupt)?,
    })
}

/// An account as the ledger names it; the usual ones without an allocation.
fn account(account: &Account) -> Cow<'static, str> {
    match account {
        Account::Cash => Cow::Borrowed("CASH"),
        Account::Receivable => Cow::Borrowed("RECEIVABLE"),
        Account::WithdrawalHold => Cow::Borrowed("WITHDRAWAL_HOLD"),
        Account::WithdrawalFeeHold => Cow::Borrowed("W_FEE_HOLD"),
        Account::PspTransit => Cow::Borrowed("PSP_TRANSIT"),
        Account::PspClearing => Cow::Borrowed("PSP_CLEARING"),
        Account::Fees => Cow::Borrowed("FEES"),
        Account::Adjustments => Cow::Borrowed("ADJUSTMENTS"),
        Account::House(_) => Cow::Owned(account.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_the_names_that_the_wallet_gives_them() {
        for known in [
            Account::Cash,
            Account::Receivable,
            Account::WithdrawalHold,
            Account::WithdrawalFeeHold,
            Account::PspTransit,
            Account::PspClearing,
            Account::Fees,
            Account::Adjustments,
        ] {
            assert_eq!(account(&known), known.to_string());
        }
    }
}
