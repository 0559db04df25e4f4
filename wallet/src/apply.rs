//! Takes a durable decision into the state.

use std::collections::VecDeque;

use crate::{Decision, PlayerState, StoredTransaction, TransactionState, Wallet};

/// How many of each a state keeps. What falls out is asked for again as a [`Fact`](crate::Fact).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CacheLimits {
    pub rounds: usize,
    pub transactions: usize,
    pub sessions: usize,
}

/// Puts the newest last, and forgets the oldest beyond `limit`.
fn remember<T>(cache: &mut VecDeque<T>, item: T, limit: usize) {
    cache.push_back(item);
    while cache.len() > limit {
        cache.pop_front();
    }
}

/// Takes over what `decision` changed. To be called once it is durable, and only then.
pub fn apply(state: &mut PlayerState, decision: &Decision, limits: CacheLimits) {
    state.version = decision.expected_version + 1;
    state.last_transaction = decision.last_transaction;
    state.last_event = decision.last_event;
    state.status = decision.status;
    for wallet in &decision.wallets {
        replace(&mut state.wallets, *wallet);
    }
    for change in &decision.rounds {
        // A new one has no older version of itself, and a player's rounds are many to look through.
        if !change.is_new {
            state.rounds.retain(|old| old.key != change.round.key);
        }
        remember(&mut state.rounds, change.round.clone(), limits.rounds);
    }
    for change in &decision.sessions {
        state.sessions.retain(|old| old.id != change.session.id);
        // Whoever still names one that is over is refused, and a refusal asks the ledger anyway.
        if change.session.ended_at.is_none() {
            remember(&mut state.sessions, change.session.clone(), limits.sessions);
        }
    }
    for transaction in &decision.transactions {
        let stored = StoredTransaction {
            key: transaction.key.clone(),
            player: state.id.clone(),
            state: transaction.state,
            fingerprint: transaction.fingerprint,
            round: transaction.round.clone(),
            receipt: transaction.receipt.clone(),
            refusal: transaction.refusal.clone(),
            reversal: None,
        };
        debug_assert!(stored.state != TransactionState::Refused || stored.refusal.is_some());
        // Its key was free, or the decision would not be durable (INV-4): it is not among them yet.
        debug_assert!(state.transactions.iter().all(|old| old.key != stored.key));
        remember(&mut state.transactions, stored, limits.transactions);
    }
}

fn replace(wallets: &mut Vec<Wallet>, wallet: Wallet) {
    match wallets
        .iter_mut()
        .find(|old| old.currency == wallet.currency)
    {
        Some(old) => *old = wallet,
        None => wallets.push(wallet),
    }
}
