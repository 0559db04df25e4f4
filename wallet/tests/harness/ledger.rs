//! The ledger in memory: what is durable, and what a commit refuses.

use std::{collections::HashMap, sync::Arc};

use pitboss_wallet::{
    Account, Currency, Decision, Event, Fact, Facts, Kind, Payment, PaymentId, PlayerId,
    PlayerState, Round, RoundEntry, RoundKey, RoundState, Session, StoredTransaction, Transaction,
    TransactionId, TransactionKey, TransactionScope, TransactionState, Wallet,
    invariants::check_decision,
};

use super::player;

/// The commit failed: the version, a key or a round was there before.
#[derive(Debug, PartialEq, Eq)]
pub struct Stale;

/// Whose key it is: one player's, or the whole provider account's (T1).
type FullKey = (Option<PlayerId>, TransactionKey);

#[derive(Debug, Clone)]
struct Row {
    player: PlayerId,
    transaction: Transaction,
}

#[derive(Debug, Default, Clone)]
pub struct Ledger {
    /// Players without any cache.
    players: HashMap<PlayerId, PlayerState>,
    rows: HashMap<FullKey, Row>,
    rounds: HashMap<(PlayerId, RoundKey), Round>,
    /// In the order in which they were opened.
    sessions: Vec<(PlayerId, Session)>,
    /// In the order in which they began.
    payments: Vec<(PlayerId, Payment)>,
    events: HashMap<PlayerId, Vec<Arc<Event>>>,
}

fn full_key(of: &PlayerId, key: &TransactionKey) -> FullKey {
    let owner = match key.scope {
        TransactionScope::Player => Some(of.clone()),
        TransactionScope::Provider => None,
    };
    (owner, key.clone())
}

impl Ledger {
    pub fn create(&mut self, name: &str) -> PlayerState {
        let state = PlayerState::new(player(name), 3);
        self.players.insert(state.id.clone(), state.clone());
        state
    }

    /// The player as a fresh actor loads him: complete balances, no caches.
    pub fn load(&self, id: &PlayerId) -> PlayerState {
        self.players[id].clone()
    }

    pub fn events(&self, id: &PlayerId) -> &[Arc<Event>] {
        self.events.get(id).map_or(&[], Vec::as_slice)
    }

    /// How many transactions there are, of all players.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn transactions(&self) -> impl Iterator<Item = &Transaction> {
        self.rows.values().map(|row| &row.transaction)
    }

    /// Every transaction, with whose it is.
    pub fn rows(&self) -> impl Iterator<Item = (&PlayerId, &Transaction)> {
        self.rows
            .values()
            .map(|row| (&row.player, &row.transaction))
    }

    pub fn round(&self, of: &PlayerId, round: &str) -> Option<&Round> {
        let mut rounds = self.rounds.iter();
        rounds
            .find(|((player, key), _)| player == of && key.round.as_str() == round)
            .map(|(_, round)| round)
    }

    pub fn rounds_of<'a>(&'a self, of: &'a PlayerId) -> impl Iterator<Item = &'a Round> {
        let rounds = self
            .rounds
            .iter()
            .filter(move |((player, _), _)| player == of);
        rounds.map(|(_, round)| round)
    }

    /// Every payment, with whose it is.
    pub fn payments(&self) -> impl Iterator<Item = (&PlayerId, &Payment)> {
        self.payments
            .iter()
            .map(|(player, payment)| (player, payment))
    }

    pub fn payment(&self, id: PaymentId) -> Option<&Payment> {
        let mut payments = self.payments.iter();
        let found = payments.find(|(_, payment)| payment.id() == id);
        found.map(|(_, payment)| payment)
    }

    fn reversal_of(&self, id: TransactionId) -> Option<&Transaction> {
        self.transactions()
            .find(|transaction| transaction.reverses == Some(id))
    }

    /// All that a player has besides the ledger's rows, his events and their numbers; without what `is_hidden`.
    pub fn whole_state(&self, of: &PlayerId, is_hidden: impl Fn(&RoundEntry) -> bool) -> String {
        let state = &self.players[of];
        let mut rounds: Vec<_> = self
            .rounds_of(of)
            .cloned()
            .map(|mut round| {
                round.entries.retain(|entry| !is_hidden(entry));
                round
            })
            .filter(|round| !round.entries.is_empty())
            .map(|round| format!("{round:?}"))
            .collect();
        rounds.sort();
        let sessions = self.sessions.iter().filter(|(player, _)| player == of);
        let mut sessions: Vec<_> = sessions.map(|session| format!("{session:?}")).collect();
        sessions.sort();
        let mut wallets = state.wallets.clone();
        wallets.sort_by_key(|wallet| wallet.currency);
        format!("{:?} {wallets:?} {rounds:?} {sessions:?}", state.status)
    }

    /// Answers from what is committed.
    pub fn answer(&self, of: &PlayerId, asked: &[Fact]) -> Facts {
        let mut facts = Facts::default();
        for fact in asked {
            match fact {
                Fact::Transaction(key) => {
                    let row = self.rows.get(&full_key(of, key));
                    facts
                        .transactions
                        .push((key.clone(), row.map(|row| self.stored(row))));
                }
                Fact::Round(key) => {
                    let round = self.rounds.get(&(of.clone(), key.clone()));
                    facts.rounds.push((key.clone(), round.cloned()));
                }
                Fact::Session(id) => {
                    let mut sessions = self.sessions.iter();
                    let session = sessions.find(|(player, one)| player == of && one.id == *id);
                    facts
                        .sessions
                        .push((*id, session.map(|(_, session)| session.clone())));
                }
                Fact::Sessions => {
                    let his = self.sessions.iter().filter(|(player, _)| player == of);
                    let unended = his.filter(|(_, session)| session.ended_at.is_none());
                    facts.unended = Some(unended.map(|(_, session)| session.clone()).collect());
                }
                Fact::Payment(id) => {
                    let mut payments = self.payments.iter();
                    let found = payments.find(|(by, one)| by == of && one.id() == *id);
                    facts
                        .payments
                        .push((*id, found.map(|(_, payment)| payment.clone())));
                }
            }
        }
        facts
    }

    fn stored(&self, row: &Row) -> StoredTransaction {
        let transaction = &row.transaction;
        let reversal = self.reversal_of(transaction.id);
        StoredTransaction {
            key: transaction.key.clone(),
            player: row.player.clone(),
            state: transaction.state,
            fingerprint: transaction.fingerprint,
            round: transaction.round.clone(),
            receipt: transaction.receipt.clone(),
            refusal: transaction.refusal.clone(),
            reversal: reversal.map(|reversal| reversal.receipt.clone()),
        }
    }

    /// All or nothing; guarded by the version, by each transaction's key, and by each new round.
    pub fn commit(&mut self, decision: &Decision) -> Result<(), Stale> {
        check_decision(decision).unwrap();
        let of = &decision.player;
        if self.players[of].version != decision.expected_version {
            return Err(Stale);
        }
        let claimed =
            |transaction: &Transaction| self.rows.contains_key(&full_key(of, &transaction.key));
        if decision.transactions.iter().any(claimed) {
            return Err(Stale);
        }
        for change in &decision.rounds {
            let exists = self
                .rounds
                .contains_key(&(of.clone(), change.round.key.clone()));
            if change.is_new && exists {
                return Err(Stale);
            }
            assert_eq!(change.is_new, !exists, "{:?}", change.round.key);
        }
        self.write(decision);
        self.audit(of);
        Ok(())
    }

    fn write(&mut self, decision: &Decision) {
        let of = &decision.player;
        let state = self.players.get_mut(of).unwrap();
        check_balances(state, decision);
        for transaction in &decision.transactions {
            state.last_transaction += 1;
            assert_eq!(transaction.number, state.last_transaction);
            let row = Row {
                player: of.clone(),
                transaction: transaction.clone(),
            };
            let before = self.rows.insert(full_key(of, &transaction.key), row);
            assert!(before.is_none(), "INV-4: one decision has a key twice");
        }
        assert_eq!(state.last_transaction, decision.last_transaction);
        for event in &decision.events {
            state.last_event += 1;
            assert_eq!(event.seq, state.last_event, "INV-7");
            let envelope: serde_json::Value = serde_json::from_str(&event.body).unwrap();
            assert_eq!(envelope["seq"], event.seq);
            self.events
                .entry(of.clone())
                .or_default()
                .push(event.clone());
        }
        assert_eq!(state.last_event, decision.last_event);
        state.version += 1;
        state.status = decision.status;
        for wallet in &decision.wallets {
            state.wallets.retain(|old| old.currency != wallet.currency);
            state.wallets.push(*wallet);
        }
        for change in &decision.rounds {
            let key = (of.clone(), change.round.key.clone());
            self.rounds.insert(key, change.round.clone());
        }
        for change in &decision.sessions {
            let row = (of.clone(), change.session.clone());
            let mut sessions = self.sessions.iter_mut();
            match sessions.find(|(_, old)| old.id == change.session.id) {
                Some(old) => *old = row,
                None => self.sessions.push(row),
            }
        }
        for change in &decision.payments {
            let row = (of.clone(), change.payment.clone());
            let mut payments = self.payments.iter_mut();
            let old = payments.find(|(_, old)| old.id() == change.payment.id());
            assert_eq!(old.is_none(), change.is_new, "{:?}", change.payment);
            match old {
                Some(old) => *old = row,
                None => self.payments.push(row),
            }
        }
    }

    /// What must hold of a player after each commit.
    fn audit(&self, of: &PlayerId) {
        for wallet in &self.players[of].wallets {
            self.audit_postings(of, wallet);
            self.audit_rounds(of, wallet);
            self.audit_events(of, wallet);
        }
    }

    fn audit_postings(&self, of: &PlayerId, wallet: &Wallet) {
        let rows = self.rows.values().filter(|row| row.player == *of);
        let postings: Vec<_> = rows.flat_map(|row| &row.transaction.postings).collect();
        let sum = |account: &Account| -> i128 {
            let of_account = postings.iter().filter(|posting| {
                posting.account == *account && posting.amount.currency == wallet.currency
            });
            of_account
                .map(|posting| i128::from(posting.amount.units))
                .sum()
        };
        assert_eq!(sum(&Account::Cash), i128::from(wallet.cash), "INV-2");
        assert_eq!(
            sum(&Account::Receivable),
            i128::from(wallet.receivable),
            "INV-2"
        );
        for (account, units) in [
            (Account::WithdrawalHold, wallet.withdrawal_hold),
            (Account::WithdrawalFeeHold, wallet.fee_hold),
            (Account::PspTransit, wallet.in_transit),
        ] {
            assert_eq!(sum(&account), i128::from(units), "INV-2");
            assert!(units >= 0, "INV-3: {wallet:?}");
        }
        assert!(
            wallet.cash >= 0 && wallet.receivable <= 0,
            "INV-3: {wallet:?}"
        );
        assert!(postings.iter().all(|posting| posting.amount.units != 0));
    }

    /// The rounds tell the same story as the accounts: what came from outside - stakes + wins = cash - debt + holds.
    fn audit_rounds(&self, of: &PlayerId, wallet: &Wallet) {
        let mut expected = self.deposited(of, wallet.currency);
        let mut held = 0_i128;
        for round in self
            .rounds_of(of)
            .filter(|round| round.currency == wallet.currency)
        {
            let sum = |kind| -> i128 {
                let entries = round.entries.iter().filter(|entry| entry.kind == kind);
                entries
                    .map(|entry| i128::from(entry.standing_units()))
                    .sum()
            };
            let (stake, won) = (sum(Kind::Bet), sum(Kind::Win));
            expected += won - stake;
            if round.state.is_open() {
                held += stake;
            }
            if round.state == RoundState::Voided {
                assert_eq!((stake, won), (0, 0), "something stands in a voided round");
            }
        }
        assert_eq!(
            [
                wallet.cash,
                wallet.receivable,
                wallet.withdrawal_hold,
                wallet.fee_hold,
                wallet.in_transit,
            ]
            .into_iter()
            .map(i128::from)
            .sum::<i128>(),
            expected
        );
        if held <= i128::from(i64::MAX) {
            assert_eq!(i128::from(wallet.held), held, "held");
        }
    }

    /// What came from outside of the play, less what went there.
    fn deposited(&self, of: &PlayerId, currency: Currency) -> i128 {
        let rows = self.rows.values().filter(|row| row.player == *of);
        let applied = rows.filter(|row| row.transaction.state == TransactionState::Applied);
        let moved = applied.map(|row| {
            let transaction = &row.transaction;
            match transaction.key.kind {
                Kind::Deposit | Kind::Adjustment => transaction
                    .amount
                    .filter(|amount| amount.currency == currency)
                    .map_or(0, |amount| i128::from(amount.units)),
                kind if kind.is_of_play() => 0,
                _ => transaction
                    .postings
                    .iter()
                    .filter(|posting| {
                        posting.account.is_player() && posting.amount.currency == currency
                    })
                    .map(|posting| i128::from(posting.amount.units))
                    .sum(),
            }
        });
        moved.sum()
    }

    /// INV-7: whoever only reads `wallet.*` ends with the balance of the wallet.
    fn audit_events(&self, of: &PlayerId, wallet: &Wallet) {
        let newest = self.events(of).iter().rev().find_map(|event| {
            let envelope: serde_json::Value = serde_json::from_str(&event.body).ok()?;
            let balance = envelope["data"]["balance"].clone();
            let told = event.kind.as_str().starts_with("wallet.")
                && balance["currency"] == wallet.currency.code();
            told.then_some(balance)
        });
        let shown =
            serde_json::to_value(pitboss_wallet::BalanceView::from(wallet.balance())).unwrap();
        assert_eq!(
            newest,
            Some(shown),
            "INV-7: the events replay to the balance"
        );
    }
}

/// The balances that a decision writes are those of its wallets, and say rightly whether they are new.
fn check_balances(state: &PlayerState, decision: &Decision) {
    for wallet in &decision.wallets {
        let before = state.wallet(wallet.currency);
        let change = |account: &Account| {
            decision
                .balances
                .iter()
                .find(|change| change.currency == wallet.currency && change.account == *account)
        };
        match change(&Account::Cash) {
            Some(change) => {
                assert_eq!(change.units, wallet.cash);
                assert_eq!(change.is_new, before.is_none());
            }
            None => assert_eq!(before.map(|before| before.cash), Some(wallet.cash)),
        }
        match change(&Account::Receivable) {
            Some(change) => {
                assert_eq!(change.units, wallet.receivable);
                assert_eq!(
                    change.is_new,
                    !before.is_some_and(|before| before.has_receivable)
                );
                assert!(wallet.has_receivable);
            }
            None => assert_eq!(
                before.map_or(0, |before| before.receivable),
                wallet.receivable
            ),
        }
        let had_holds = before.is_some_and(|before| before.has_holds);
        for (account, units, was) in [
            (
                Account::WithdrawalHold,
                wallet.withdrawal_hold,
                before.map_or(0, |before| before.withdrawal_hold),
            ),
            (
                Account::WithdrawalFeeHold,
                wallet.fee_hold,
                before.map_or(0, |before| before.fee_hold),
            ),
            (
                Account::PspTransit,
                wallet.in_transit,
                before.map_or(0, |before| before.in_transit),
            ),
        ] {
            match change(&account) {
                Some(change) => {
                    assert_eq!(change.units, units);
                    assert_eq!(change.is_new, !had_holds);
                    assert!(wallet.has_holds);
                }
                None => assert_eq!(was, units, "{account}"),
            }
        }
    }
}
