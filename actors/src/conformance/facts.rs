//! What the ledger answers when a decision asks.

use pitboss_wallet::{
    Fact, Kind, Policy, RoundKey, RoundState, SessionId, TransactionKey, TransactionScope,
};

use super::{
    Checked, Subject,
    hand::{Hand, Table, external, new_id, round_id},
    holds, same, wrong,
};

fn key(table: &Table, kind: Kind, id: &str) -> TransactionKey {
    TransactionKey {
        scope: TransactionScope::Player,
        provider: table.origin.provider.clone(),
        kind,
        external_id: external(id),
    }
}

fn round_key(table: &Table, round: &str) -> RoundKey {
    RoundKey {
        provider: table.origin.provider.clone(),
        game: None,
        round: round_id(round),
    }
}

pub(super) async fn facts_are_answered_of_one_moment_in_their_order(
    subject: &dyn Subject,
) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "facts", 1_000, Policy::default()).await?;
    hand.accepted(&table.bet("a-1", "a-1", 100)).await?;
    hand.accepted(&table.win("a-1", "a-1", 30)).await?;
    let asked = [
        Fact::Round(round_key(&table, "a-none")),
        Fact::Transaction(key(&table, Kind::Win, "a-1")),
        Fact::Session(SessionId(new_id())),
        Fact::Transaction(key(&table, Kind::Bet, "a-none")),
        Fact::Round(round_key(&table, "a-1")),
        Fact::Transaction(key(&table, Kind::Bet, "a-1")),
        Fact::Session(table.session),
    ];
    let found = hand.ledger.find(&hand.state.id, &asked).await?;
    same("version", found.version, Some(hand.state.version))?;
    let transactions: Vec<_> = found
        .transactions
        .iter()
        .map(|(key, stored)| (key.kind, stored.as_ref().map(|s| s.receipt.units)))
        .collect();
    same(
        "transactions",
        transactions,
        vec![
            (Kind::Win, Some(30)),
            (Kind::Bet, None),
            (Kind::Bet, Some(100)),
        ],
    )?;
    let of_state = hand.state.round(&round_key(&table, "a-1")).cloned();
    let rounds: Vec<_> = found.rounds.into_iter().map(|(_, round)| round).collect();
    same("rounds", rounds, vec![None, of_state])?;
    let of_state = hand.state.session(table.session).cloned();
    let sessions: Vec<_> = found.sessions.into_iter().map(|(_, s)| s).collect();
    same("sessions", sessions, vec![None, of_state])?;
    for (asked, stored) in found.transactions {
        let cached = hand.state.transaction(&asked);
        let same_as_cached = match (&stored, cached) {
            (Some(stored), Some(cached)) => {
                stored.key == asked
                    && stored.receipt == cached.receipt
                    && stored.fingerprint == cached.fingerprint
                    && stored.round == cached.round
                    && stored.player == cached.player
                    && stored.state == cached.state
            }
            (None, None) => true,
            _ => false,
        };
        holds("a transaction is not as the cache has it", same_as_cached)?;
    }
    Ok(())
}

pub(super) async fn a_transaction_tells_what_took_it_back(subject: &dyn Subject) -> Checked {
    let (mut hand, table) = Hand::seated(subject, "reversal", 1_000, Policy::default()).await?;
    hand.accepted(&table.bet("v-1", "v-1", 100)).await?;
    hand.accepted(&table.bet("v-2", "v-2", 50)).await?;
    hand.accepted(&table.rollback("v-rb", "v-1")).await?;
    hand.accepted(&table.void("v-void", "v-2")).await?;
    let bet = key(&table, Kind::Bet, "v-1");
    let asked = [
        Fact::Transaction(bet),
        Fact::Round(round_key(&table, "v-2")),
    ];
    let found = hand.ledger.find(&hand.state.id, &asked).await?;
    let stored = found.transactions.into_iter().next().and_then(|(_, s)| s);
    let reversal = stored.and_then(|stored| stored.reversal);
    let rollback = hand
        .state
        .transaction(&key(&table, Kind::Rollback, "v-rb"))
        .map(|stored| stored.receipt.clone());
    holds("there is a rollback", rollback.is_some())?;
    same("reversal", reversal, rollback)?;
    let round = found.rounds.into_iter().next().and_then(|(_, round)| round);
    let round = round.ok_or_else(|| wrong("the voided round is gone"))?;
    same("state", round.state, RoundState::Voided)?;
    same("round", Some(&round), hand.state.round(&round.key))
}
