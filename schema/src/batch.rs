//! A batch of decisions as the columns of `queries/commit_batch.sql`, in the order of its parameters.

use std::borrow::Cow;

use pitboss_wallet::{
    Account, Decision, Kind, RoundChange, SessionChange, Transaction, TransactionScope,
};
use tokio_postgres::types::ToSql;
use uuid::Uuid;

use crate::{StoreError, moment::Moment};

/// Declares the columns of one `unnest`: a struct of vectors, `push` for a row, and its parameters in order.
macro_rules! columns {
    ($name:ident<$life:lifetime> { $($column:ident: $kind:ty),+ $(,)? }) => {
        #[derive(Default)]
        struct $name<$life> { $($column: Vec<$kind>),+, unused: std::marker::PhantomData<&$life ()> }

        impl<$life> $name<$life> {
            #[allow(clippy::too_many_arguments, reason = "one argument per column of a table")]
            fn push(&mut self, $($column: $kind),+) {
                $(self.$column.push($column);)+
            }

            fn params<'p>(&'p self, out: &mut Vec<&'p (dyn ToSql + Sync)>) {
                $(out.push(&self.$column);)+
            }
        }
    };
}

columns!(Entries<'a> {
    ord: i32, player: &'a str, lane: i16, version: i64, last_transaction: i64, last_event: i64,
    status: &'static str, events: i32, at: Option<Moment>,
});
columns!(Records<'a> {
    ord: i32, player: &'a str, number: i64, id: Uuid, provider: &'a str, kind: &'static str,
    external_id: &'a str, provider_wide: bool, state: &'static str, fingerprint: &'a [u8],
    currency: Option<&'static str>, amount: Option<i64>, game: Option<&'a str>, round_scope: &'a str,
    round: Option<&'a str>, names_bet: Option<&'a str>, reverses: Option<Uuid>, reply: String,
    refusal: Option<String>, created_at: Option<Moment>,
});
columns!(Rounds<'a> {
    ord: i32, player: &'a str, provider: &'a str, scope_game: &'a str, round: &'a str, number: i64,
    game: &'a str, currency: &'static str, state: &'static str, stake: i64, won: i64, bets: i32,
    wins: i32, opened_at: Moment, closed_at: Option<Moment>, touched_at: Option<Moment>, is_new: bool,
});
columns!(Balances<'a> {
    ord: i32, player: &'a str, currency: &'static str, account: Cow<'static, str>, amount: i64,
    is_new: bool,
});
columns!(Sessions<'a> {
    ord: i32, player: &'a str, id: Uuid, kind: &'static str, currency: &'static str,
    provider: Option<&'a str>, game: Option<&'a str>, token_hash: Option<&'a [u8]>,
    token_expires_at: Option<Moment>, expires_at: Moment, ended_at: Option<Moment>,
});
columns!(Postings<'a> {
    ord: i32, player: &'a str, number: i64, line: i16, currency: &'static str,
    account: Cow<'static, str>, amount: i64, balance_after: Option<i64>,
});
columns!(Events<'a> {
    ord: i32, lane: i16, id: Uuid, player: &'a str, seq: i64, kind: &'static str, created_at: Moment,
    body: &'a str,
});

/// The columns of a batch.
#[derive(Default)]
pub(crate) struct Batch<'a> {
    entries: Entries<'a>,
    records: Records<'a>,
    rounds: Rounds<'a>,
    balances: Balances<'a>,
    sessions: Sessions<'a>,
    postings: Postings<'a>,
    events: Events<'a>,
}

impl<'a> Batch<'a> {
    /// Adds a decision under an ordinal, by which the statement will tell that it was committed.
    pub fn push(&mut self, ord: i32, decision: &'a Decision) -> Result<(), StoreError> {
        let player = decision.player.as_str();
        let lane = i16::try_from(decision.lane).map_err(StoreError::corrupt)?;
        // A decision has no time of its own; whatever moved money told of it in an event.
        let at = decision.events.first().map(|event| Moment(event.at));
        self.entries.push(
            ord,
            player,
            lane,
            decision.expected_version,
            decision.last_transaction,
            decision.last_event,
            decision.status.as_str(),
            count(decision.events.len()),
            at,
        );
        for transaction in &decision.transactions {
            self.record(ord, player, transaction, at)?;
        }
        for change in &decision.rounds {
            self.round(ord, player, decision, change, at);
        }
        for change in &decision.balances {
            self.balances.push(
                ord,
                player,
                change.currency.code(),
                account(&change.account),
                change.units,
                change.is_new,
            );
        }
        for change in &decision.sessions {
            self.session(ord, player, change);
        }
        for event in &decision.events {
            self.events.push(
                ord,
                lane,
                event.id,
                player,
                event.seq,
                event.kind.as_str(),
                Moment(event.at),
                &event.body,
            );
        }
        Ok(())
    }

    fn record(
        &mut self,
        ord: i32,
        player: &'a str,
        transaction: &'a Transaction,
        at: Option<Moment>,
    ) -> Result<(), StoreError> {
        let key = &transaction.key;
        let round = transaction.round.as_ref();
        let refusal = transaction.refusal.as_ref();
        self.records.push(
            ord,
            player,
            transaction.number,
            transaction.id.0,
            key.provider.as_str(),
            key.kind.as_str(),
            key.external_id.as_str(),
            key.scope == TransactionScope::Provider,
            transaction.state.as_str(),
            &transaction.fingerprint.0,
            transaction.amount.map(|amount| amount.currency.code()),
            transaction.amount.map(|amount| amount.units),
            transaction.game.as_ref().map(|game| game.as_str()),
            round
                .and_then(|round| round.game.as_ref())
                .map_or("", |game| game.as_str()),
            round.map(|round| round.round.as_str()),
            transaction.names_bet.as_ref().map(|bet| bet.as_str()),
            transaction.reverses.map(|id| id.0),
            serde_json::to_string(&transaction.receipt).map_err(StoreError::corrupt)?,
            refusal
                .map(serde_json::to_string)
                .transpose()
                .map_err(StoreError::corrupt)?,
            at,
        );
        for (line, posting) in (1_i16..).zip(&transaction.postings) {
            self.postings.push(
                ord,
                player,
                transaction.number,
                line,
                posting.amount.currency.code(),
                account(&posting.account),
                posting.amount.units,
                posting.balance_after,
            );
        }
        Ok(())
    }

    fn round(
        &mut self,
        ord: i32,
        player: &'a str,
        decision: &Decision,
        change: &'a RoundChange,
        at: Option<Moment>,
    ) {
        let round = &change.round;
        let live = |kind: Kind| {
            let entries = round.entries.iter();
            count(entries.filter(|e| e.kind == kind && e.is_live()).count())
        };
        // The transaction that opened it, when this decision did.
        let opened_by = decision
            .transactions
            .iter()
            .find(|transaction| transaction.round.as_ref() == Some(&round.key));
        self.rounds.push(
            ord,
            player,
            round.key.provider.as_str(),
            round.key.game.as_ref().map_or("", |game| game.as_str()),
            round.key.round.as_str(),
            opened_by.map_or(decision.last_transaction, |opened| opened.number),
            round.game.as_str(),
            round.currency.code(),
            round.state.as_str(),
            round.stake(),
            round.won(),
            live(Kind::Bet),
            live(Kind::Win),
            Moment(round.opened_at),
            round.closed_at.map(Moment),
            at,
            change.is_new,
        );
    }

    fn session(&mut self, ord: i32, player: &'a str, change: &'a SessionChange) {
        let session = &change.session;
        self.sessions.push(
            ord,
            player,
            session.id.0,
            session.kind.as_str(),
            session.currency.code(),
            session.provider.as_ref().map(|provider| provider.as_str()),
            session.game.as_ref().map(|game| game.as_str()),
            change.token_hash.as_ref().map(<[u8; 32]>::as_slice),
            session.token_expires_at.map(Moment),
            Moment(session.expires_at),
            session.ended_at.map(Moment),
        );
    }

    /// The statement's parameters.
    pub fn params(&self) -> Vec<&(dyn ToSql + Sync)> {
        let mut params = Vec::with_capacity(79);
        self.entries.params(&mut params);
        self.records.params(&mut params);
        self.rounds.params(&mut params);
        self.balances.params(&mut params);
        self.sessions.params(&mut params);
        self.postings.params(&mut params);
        self.events.params(&mut params);
        params
    }
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// An account as the ledger names it; the usual ones without an allocation.
fn account(account: &Account) -> Cow<'static, str> {
    match account {
        Account::Cash => Cow::Borrowed("CASH"),
        Account::Receivable => Cow::Borrowed("RECEIVABLE"),
        Account::PspClearing => Cow::Borrowed("PSP_CLEARING"),
        Account::House(_) => Cow::Owned(account.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_have_the_names_that_the_wallet_gives_them() {
        for known in [Account::Cash, Account::Receivable, Account::PspClearing] {
            assert_eq!(account(&known), known.to_string());
        }
    }
}
