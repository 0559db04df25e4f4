//! What a command wants to change, collected while it is decided.

use std::sync::Arc;

use uuid::Uuid;

use super::{
    Seam, Stop,
    balances::{add, balance_changes},
};
use crate::{
    Account, Balance, Client, Currency, Decision, Event, ExternalId, Fact, Facts, Fingerprint,
    Funding, GameId, Kind, Money, Outcome, Payment, PaymentChange, PaymentId, PlayerState,
    PlayerStatus, Posting, Receipt, Refusal, RefusalCode, Round, RoundChange, RoundKey, RoundState,
    Session, SessionChange, SessionId, SessionRules, StoredTransaction, Timestamp, Transaction,
    TransactionId, TransactionKey, TransactionState, Wallet,
    event::{EventData, Subject},
};

/// What is known of something that may or may not exist.
pub(super) enum Lookup<T> {
    Found(T),
    /// The ledger was asked: there is none.
    Absent,
    /// Not in memory, and the ledger has not been asked.
    Unknown,
}

fn look<T: Clone, K: PartialEq>(
    cached: Option<&T>,
    asked: &[(K, Option<T>)],
    key: &K,
) -> Lookup<T> {
    if let Some(found) = cached {
        return Lookup::Found(found.clone());
    }
    match asked.iter().find(|(of, _)| of == key) {
        Some((_, Some(found))) => Lookup::Found(found.clone()),
        Some((_, None)) => Lookup::Absent,
        None => Lookup::Unknown,
    }
}

/// A transaction to be recorded.
pub(super) struct Movement {
    pub key: TransactionKey,
    pub fingerprint: Fingerprint,
    pub state: TransactionState,
    pub amount: Option<Money>,
    pub funding: Funding,
    pub game: Option<GameId>,
    pub round: Option<RoundKey>,
    pub names_bet: Option<ExternalId>,
    pub reverses: Option<TransactionId>,
    pub postings: Vec<Posting>,
    pub refusal: Option<Refusal>,
}

impl Movement {
    /// A record under `key` that moves nothing.
    pub fn record(key: TransactionKey, fingerprint: Fingerprint) -> Self {
        Self {
            key,
            fingerprint,
            state: TransactionState::Applied,
            amount: None,
            funding: Funding::default(),
            game: None,
            round: None,
            names_bet: None,
            reverses: None,
            postings: Vec::new(),
            refusal: None,
        }
    }
}

pub(super) struct Draft<'a, 's> {
    state: &'a PlayerState,
    facts: &'a Facts,
    seam: &'a mut Seam<'s>,
    status: PlayerStatus,
    sets_status: bool,
    wallets: Vec<Wallet>,
    rounds: Vec<RoundChange>,
    sessions: Vec<SessionChange>,
    payments: Vec<PaymentChange>,
    transactions: Vec<Transaction>,
    events: Vec<Arc<Event>>,
}

impl<'a, 's> Draft<'a, 's> {
    pub fn new(state: &'a PlayerState, facts: &'a Facts, seam: &'a mut Seam<'s>) -> Self {
        Self {
            state,
            facts,
            seam,
            status: state.status,
            sets_status: false,
            wallets: Vec::new(),
            rounds: Vec::new(),
            sessions: Vec::new(),
            payments: Vec::new(),
            transactions: Vec::new(),
            events: Vec::new(),
        }
    }

    pub fn state(&self) -> &'a PlayerState {
        self.state
    }

    pub fn now(&self) -> Timestamp {
        self.seam.now
    }

    pub fn rules(&self) -> SessionRules {
        self.seam.sessions
    }

    /// Forgets everything drafted so far.
    pub fn clear(&mut self) {
        self.status = self.state.status;
        self.sets_status = false;
        self.wallets.clear();
        self.rounds.clear();
        self.sessions.clear();
        self.payments.clear();
        self.transactions.clear();
        self.events.clear();
    }

    // Reading: the draft itself, then the state, then the facts.

    pub fn stored(&self, key: &TransactionKey) -> Lookup<StoredTransaction> {
        look(self.state.transaction(key), &self.facts.transactions, key)
    }

    /// Like [`Self::stored`], but as the ledger says it: with its reversal.
    pub fn stored_in_ledger(&self, key: &TransactionKey) -> Lookup<StoredTransaction> {
        look(None, &self.facts.transactions, key)
    }

    pub fn round(&self, key: &RoundKey) -> Lookup<Round> {
        let drafted = self
            .rounds
            .iter()
            .map(|change| &change.round)
            .find(|round| round.key == *key);
        look(
            drafted.or_else(|| self.state.round(key)),
            &self.facts.rounds,
            key,
        )
    }

    pub fn session(&self, id: SessionId) -> Result<Session, Stop> {
        let mut drafted = self.sessions.iter().map(|change| &change.session);
        let known = drafted.find(|session| session.id == id);
        let known = known.or_else(|| self.state.session(id));
        match look(known, &self.facts.sessions, &id) {
            Lookup::Found(session) => Ok(session),
            Lookup::Absent => Err(Stop::refuse(
                RefusalCode::SessionInvalid,
                "the player has no such session",
            )),
            Lookup::Unknown => Err(Stop::Need(vec![Fact::Session(id)])),
        }
    }

    /// All sessions that have not been ended, oldest first. Memory holds only some of them: the ledger is asked.
    pub fn unended_sessions(&self) -> Result<&'a [Session], Stop> {
        let unended = self.facts.unended.as_deref();
        unended.ok_or_else(|| Stop::Need(vec![Fact::Sessions]))
    }

    /// A deposit or withdrawal. Memory holds none: they are asked for.
    pub fn payment(&self, id: PaymentId) -> Result<Payment, Stop> {
        match look(None, &self.facts.payments, &id) {
            Lookup::Found(payment) => Ok(payment),
            Lookup::Absent => Err(Stop::refuse(
                RefusalCode::UnknownPayment,
                "the player has no such payment",
            )),
            Lookup::Unknown => Err(Stop::Need(vec![Fact::Payment(id)])),
        }
    }

    /// Whether neither memory nor the ledger has told of it.
    pub fn is_unknown(&self, fact: &Fact) -> bool {
        match fact {
            Fact::Transaction(key) => matches!(self.stored(key), Lookup::Unknown),
            Fact::Round(key) => matches!(self.round(key), Lookup::Unknown),
            Fact::Session(id) => matches!(self.session(*id), Err(Stop::Need(_))),
            Fact::Sessions => self.facts.unended.is_none(),
            Fact::Payment(id) => matches!(self.payment(*id), Err(Stop::Need(_))),
        }
    }

    /// Whether the ledger was asked for this session, or for all of them: then what is known of it is not old.
    pub fn is_checked(&self, id: SessionId) -> bool {
        self.facts.unended.is_some() || self.facts.sessions.iter().any(|(of, _)| *of == id)
    }

    pub fn wallet(&self, currency: Currency) -> Result<Wallet, Refusal> {
        self.wallets
            .iter()
            .find(|wallet| wallet.currency == currency)
            .or_else(|| self.state.wallet(currency))
            .copied()
            .ok_or_else(|| {
                Refusal::new(
                    RefusalCode::CurrencyMismatch,
                    format!("the player has no wallet in {currency}"),
                )
            })
    }

    pub fn balance(&self, currency: Currency) -> Result<Balance, Refusal> {
        self.wallet(currency).map(|wallet| wallet.balance())
    }

    /// The refusal of a bet, with the balance as it is: what the draft took before counts for nothing.
    pub fn insufficient(&self, currency: Currency) -> Refusal {
        Refusal::new(
            RefusalCode::InsufficientFunds,
            "the balance does not cover the bet",
        )
        .with_balance(self.state.wallet(currency).map(Wallet::balance))
    }

    // Changing.

    pub fn new_id(&mut self) -> Uuid {
        (self.seam.new_id)()
    }

    /// A status is always committed, also one that memory has already: another owner may have set another, and
    /// only the commit knows.
    pub fn set_status(&mut self, status: PlayerStatus) {
        self.status = status;
        self.sets_status = true;
    }

    pub fn put_wallet(&mut self, wallet: Wallet) {
        match self
            .wallets
            .iter_mut()
            .find(|old| old.currency == wallet.currency)
        {
            Some(old) => *old = wallet,
            None => self.wallets.push(wallet),
        }
    }

    pub fn put_new_session(&mut self, session: Session, token_hash: [u8; 32], client: Client) {
        self.sessions.push(SessionChange {
            session,
            token_hash: Some(token_hash),
            client,
        });
    }

    pub fn put_session(&mut self, session: Session) {
        let mut drafted = self.sessions.iter_mut();
        match drafted.find(|change| change.session.id == session.id) {
            Some(change) => change.session = session,
            None => self.sessions.push(SessionChange {
                session,
                token_hash: None,
                client: Client::default(),
            }),
        }
    }

    pub fn put_payment(&mut self, payment: Payment, is_new: bool) {
        self.payments.push(PaymentChange { payment, is_new });
    }

    /// Takes a round in, and keeps the wallet's view of the held stake in step. What is held must fit as any
    /// balance must: a sum that was cut off would be wrong for ever after.
    pub fn put_round(&mut self, round: Round) -> Result<(), Refusal> {
        let (known, held_before) = match self.round(&round.key) {
            Lookup::Found(before) => (true, before.exactly_held()),
            Lookup::Absent | Lookup::Unknown => (false, 0),
        };
        let mut wallet = self.wallet(round.currency)?;
        let held = i128::from(wallet.held) - held_before + round.exactly_held();
        wallet.held = i64::try_from(held).map_err(|_| {
            let detail = "the stakes in open rounds are too large together";
            Refusal::new(RefusalCode::Malformed, detail)
        })?;
        self.put_wallet(wallet);
        match self
            .rounds
            .iter_mut()
            .find(|change| change.round.key == round.key)
        {
            Some(change) => change.round = round,
            None => self.rounds.push(RoundChange {
                round,
                is_new: !known,
            }),
        }
        Ok(())
    }

    /// Moves money between accounts; the legs must sum to zero. House accounts have no balance here.
    /// Cash below zero is refused, whoever asks; an overflow is an error, never a wrap.
    pub fn post(
        &mut self,
        currency: Currency,
        legs: &[(Account, i64)],
    ) -> Result<Vec<Posting>, Refusal> {
        debug_assert_eq!(
            legs.iter()
                .map(|(_, units)| i128::from(*units))
                .sum::<i128>(),
            0
        );
        let mut wallet = self.wallet(currency)?;
        let mut postings = Vec::with_capacity(legs.len());
        for (account, units) in legs.iter().filter(|(_, units)| *units != 0) {
            let balance_after = match account {
                Account::Cash => {
                    let after = add(&mut wallet.cash, *units)?;
                    if after < 0 {
                        return Err(self.insufficient(currency));
                    }
                    Some(after)
                }
                Account::Receivable => Some(add(&mut wallet.receivable, *units)?),
                Account::WithdrawalHold => Some(add(&mut wallet.withdrawal_hold, *units)?),
                Account::WithdrawalFeeHold => Some(add(&mut wallet.fee_hold, *units)?),
                Account::PspTransit => Some(add(&mut wallet.in_transit, *units)?),
                Account::House(_) | Account::PspClearing | Account::Fees | Account::Adjustments => {
                    None
                }
            };
            let amount = Money::new(*units, currency);
            postings.push(Posting {
                account: account.clone(),
                amount,
                balance_after,
            });
        }
        self.put_wallet(wallet);
        Ok(postings)
    }

    /// Records a transaction under the next number, with the balance as it is now.
    pub fn record(&mut self, movement: Movement) -> Receipt {
        let id = TransactionId(self.new_id());
        let currency = movement.amount.map(|amount| amount.currency);
        let receipt = Receipt {
            transaction: id,
            kind: movement.key.kind,
            external_id: movement.key.external_id.clone(),
            currency,
            units: movement.amount.map_or(0, |amount| amount.units),
            funding: movement.funding,
            balance: currency.and_then(|currency| self.balance(currency).ok()),
            tombstone: movement.state == TransactionState::Tombstone,
        };
        self.record_as(id, movement, receipt)
    }

    /// Records a transaction whose receipt is already known.
    pub fn record_as(
        &mut self,
        id: TransactionId,
        movement: Movement,
        receipt: Receipt,
    ) -> Receipt {
        let count = i64::try_from(self.transactions.len()).unwrap_or(i64::MAX);
        self.transactions.push(Transaction {
            id,
            number: self
                .state
                .last_transaction
                .saturating_add(count)
                .saturating_add(1),
            key: movement.key,
            state: movement.state,
            fingerprint: movement.fingerprint,
            amount: movement.amount,
            game: movement.game,
            round: movement.round,
            names_bet: movement.names_bet,
            reverses: movement.reverses,
            postings: movement.postings,
            receipt: receipt.clone(),
            refusal: movement.refusal,
        });
        receipt
    }

    /// Tells an event: its type is that of its data.
    pub fn event<T: EventData>(&mut self, transaction: Option<TransactionId>, data: &T) {
        let count = i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let subject = Subject {
            id: self.new_id(),
            kind: T::KIND,
            seq: self
                .state
                .last_event
                .saturating_add(count)
                .saturating_add(1),
            at: self.seam.now,
            environment: self.seam.environment,
            player: &self.state.id,
            transaction,
        };
        self.events.push(Arc::new(Event::render(&subject, data)));
    }

    /// The decision; or the outcome alone when nothing changes.
    pub fn finish(self, outcome: Outcome) -> Result<Decision, Outcome> {
        let nothing = self.transactions.is_empty()
            && self.sessions.is_empty()
            && self.payments.is_empty()
            && self.events.is_empty()
            && !self.sets_status;
        if nothing {
            return Err(outcome);
        }
        let mut balances = Vec::new();
        let mut wallets = self.wallets;
        for wallet in &mut wallets {
            balance_changes(self.state.wallet(wallet.currency), wallet, &mut balances);
        }
        let count = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        Ok(Decision {
            player: self.state.id.clone(),
            lane: self.state.lane,
            at: self.seam.now,
            expected_version: self.state.version,
            last_transaction: self
                .state
                .last_transaction
                .saturating_add(count(self.transactions.len())),
            last_event: self
                .state
                .last_event
                .saturating_add(count(self.events.len())),
            status: self.status,
            transactions: self.transactions,
            wallets,
            balances,
            rounds: self.rounds,
            sessions: self.sessions,
            payments: self.payments,
            events: self.events,
            outcome,
        })
    }
}

/// A round that its first bet, or a win that came before it, opens now.
pub(super) fn new_round(
    draft: &Draft<'_, '_>,
    key: RoundKey,
    game: &GameId,
    currency: Currency,
) -> Round {
    Round {
        key,
        game: game.clone(),
        currency,
        state: RoundState::Open,
        opened_at: draft.now(),
        closed_at: None,
        entries: Vec::new(),
    }
}

/// The kinds whose external ids a rollback may name.
pub(super) const REVERSIBLE: [Kind; 2] = [Kind::Bet, Kind::Win];
