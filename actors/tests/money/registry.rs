//! Players and their registry.

use std::{
    sync::{Arc, Mutex, atomic::Ordering},
    time::Duration,
};

use futures_util::future::join_all;
use pitboss_actors::{
    memory::Fault,
    player::Failure,
    registry::RegistryLimits,
    stream::{EventSink, SinkState, StreamSource},
};
use pitboss_wallet::{Command, Event, PlayerId, RefusalCode};

use crate::world::{
    JOURNAL, Node, REGISTRY, TestLedger, UNIT, currency, eventually, refused, settled,
};

#[actix::test]
async fn concurrent_bets_of_one_player_are_taken_one_after_the_other_and_none_is_lost() {
    let node = Node::new(&TestLedger::new());
    let alice = node.player("alice").await;
    let bets = (0..50).map(|n| {
        let (node, alice) = (&node, &alice);
        async move { settled(node.bet(alice, &format!("b{n}"), UNIT).await) }
    });
    let mut balances: Vec<i64> = join_all(bets)
        .await
        .iter()
        .map(|settled| settled.receipts[0].balance.unwrap().cash)
        .collect();
    balances.sort_unstable();
    let expected: Vec<i64> = (50..100).map(|major| major * UNIT).collect();
    assert_eq!(balances, expected, "every bet saw a balance of its own");
    assert_eq!(node.cash(&alice).await, 50 * UNIT);
}

#[actix::test]
async fn t6_parallel_repeats_apply_once_and_get_one_answer() {
    let node = Node::new(&TestLedger::new());
    let alice = node.player("alice").await;
    let answers = join_all((0..20).map(|_| node.bet(&alice, "same", UNIT))).await;
    let answers: Vec<_> = answers.into_iter().map(settled).collect();
    assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(
        answers
            .iter()
            .all(|answer| answer.receipts == answers[0].receipts)
    );
    assert_eq!(node.cash(&alice).await, 99 * UNIT);
}

#[actix::test]
async fn over_the_limit_of_one_player_a_request_is_refused_and_others_are_not() {
    let ledger = TestLedger::new();
    let limits = RegistryLimits {
        per_player_max: 3,
        ..REGISTRY
    };
    let node = Node::with(&ledger, limits, JOURNAL);
    let (alice, bob) = (node.player("alice").await, node.player("bob").await);
    ledger.hold();
    let bets = (0..10).map(|n| {
        let (node, alice) = (&node, &alice);
        async move { node.bet(alice, &format!("b{n}"), UNIT).await }
    });
    let others = async {
        eventually("alice's three wait", || node.registry.in_flight() == 3).await;
        let unhindered = node
            .registry
            .execute(&bob.id, Command::Balance(currency()))
            .await;
        ledger.release();
        unhindered
    };
    let (answers, unhindered) = tokio::join!(join_all(bets), others);
    assert!(unhindered.unwrap().is_ok());
    let busy = answers
        .iter()
        .filter(|answer| matches!(answer, Err(Failure::Busy("player"))))
        .count();
    assert_eq!(busy, 7);
    assert_eq!(
        node.cash(&alice).await,
        97 * UNIT,
        "what was refused did nothing"
    );
    assert_eq!(node.registry.in_flight(), 0);
}

#[actix::test]
async fn over_the_limit_of_all_players_a_request_is_refused() {
    let ledger = TestLedger::new();
    let limits = RegistryLimits {
        in_flight_max: 2,
        ..REGISTRY
    };
    let node = Node::with(&ledger, limits, JOURNAL);
    let (alice, bob) = (node.player("alice").await, node.player("bob").await);
    ledger.hold();
    let (first, second, third) = tokio::join!(
        node.bet(&alice, "b", UNIT),
        node.bet(&bob, "b", UNIT),
        async {
            eventually("two are under way", || node.registry.in_flight() == 2).await;
            let third = node.bet(&bob, "c", UNIT).await;
            ledger.release();
            third
        },
    );
    assert!(first.unwrap().is_ok() && second.unwrap().is_ok());
    assert_eq!(third, Err(Failure::Busy("in_flight")));
    assert_eq!(node.registry.in_flight(), 0);
}

#[actix::test]
async fn players_in_memory_are_bounded() {
    let ledger = TestLedger::new();
    let limits = RegistryLimits {
        players_max: 1,
        ..REGISTRY
    };
    let node = Node::with(&ledger, limits, JOURNAL);
    node.player("alice").await;
    let bob = PlayerId::new("bob").unwrap();
    ledger.memory.create_player(&bob);
    let answer = node
        .registry
        .execute(&bob, Command::OpenAccount(currency()))
        .await;
    assert_eq!(answer, Err(Failure::Busy("players")));
}

#[actix::test]
async fn a_player_that_nobody_has_leaves_nothing_in_memory() {
    let node = Node::new(&TestLedger::new());
    let nobody = PlayerId::new("nobody").unwrap();
    let answer = node
        .registry
        .execute(&nobody, Command::Balance(currency()))
        .await;
    assert_eq!(answer, Err(Failure::UnknownPlayer));
    assert!(node.registry.is_empty());
}

#[actix::test]
async fn an_actor_that_panicked_is_replaced_at_the_next_request() {
    let ledger = TestLedger::new();
    let node = Node::new(&ledger);
    let alice = node.player("alice").await;
    // A lost commit makes the actor load anew, and that load panics.
    ledger.memory.inject(Fault::LostRequest);
    assert_eq!(node.bet(&alice, "b", UNIT).await, Err(Failure::Retry));
    ledger.load_panics.store(true, Ordering::SeqCst);
    assert_eq!(node.bet(&alice, "b", UNIT).await, Err(Failure::Retry));
    assert!(!settled(node.bet(&alice, "b", UNIT).await).replayed);
    assert_eq!(node.cash(&alice).await, 99 * UNIT);
}

#[actix::test]
async fn t10_an_unknown_outcome_is_never_told_as_failed_and_the_retry_is_answered_from_the_ledger()
{
    for (fault, replayed) in [
        (Fault::LostAnswer, true),
        (Fault::LostRequest, false),
        (Fault::Failed, false),
    ] {
        let ledger = TestLedger::new();
        let node = Node::new(&ledger);
        let alice = node.player("alice").await;
        ledger.memory.inject(fault);
        assert_eq!(
            node.bet(&alice, "b", UNIT).await,
            Err(Failure::Retry),
            "{fault:?}"
        );
        assert_eq!(
            settled(node.bet(&alice, "b", UNIT).await).replayed,
            replayed,
            "{fault:?}"
        );
        assert_eq!(node.cash(&alice).await, 99 * UNIT, "{fault:?}");
    }
}

#[actix::test]
async fn a_caller_that_gives_up_undoes_nothing_that_was_begun() {
    let ledger = TestLedger::new();
    let limits = RegistryLimits {
        patience: Duration::from_millis(200),
        ..REGISTRY
    };
    let node = Node::with(&ledger, limits, JOURNAL);
    let alice = node.player("alice").await;
    ledger.hold();
    assert_eq!(node.bet(&alice, "b", UNIT).await, Err(Failure::Retry));
    ledger.release();
    eventually("the commit ends", || node.journal.depth() == 0).await;
    let mut again = node.bet(&alice, "b", UNIT).await;
    // The actor may need a moment to take the commit over.
    while again == Err(Failure::Retry) {
        again = node.bet(&alice, "b", UNIT).await;
    }
    assert!(settled(again).replayed);
    assert_eq!(node.cash(&alice).await, 99 * UNIT);
}

#[actix::test]
async fn a_request_that_was_not_begun_when_its_caller_gave_up_is_skipped() {
    let ledger = TestLedger::new();
    let limits = RegistryLimits {
        patience: Duration::from_millis(200),
        ..REGISTRY
    };
    let node = Node::with(&ledger, limits, JOURNAL);
    let alice = node.player("alice").await;
    ledger.hold();
    let (first, second) = tokio::join!(
        node.bet(&alice, "first", UNIT),
        node.bet(&alice, "second", UNIT)
    );
    assert_eq!((first, second), (Err(Failure::Retry), Err(Failure::Retry)));
    ledger.release();
    eventually("the first one's commit ends", || node.journal.depth() == 0).await;
    let mut cash = node
        .registry
        .execute(&alice.id, Command::Balance(currency()))
        .await;
    while cash == Err(Failure::Retry) {
        cash = node
            .registry
            .execute(&alice.id, Command::Balance(currency()))
            .await;
    }
    assert_eq!(
        node.cash(&alice).await,
        99 * UNIT,
        "one of the two was begun"
    );
    assert!(!settled(node.bet(&alice, "second", UNIT).await).replayed);
}

#[actix::test]
async fn t3_a_refusal_is_not_given_on_a_stale_memory() {
    let ledger = TestLedger::new();
    let (one, other) = (Node::new(&ledger), Node::new(&ledger));
    let alice = one.player("alice").await;
    assert_eq!(other.cash(&alice).await, 100 * UNIT);
    settled(one.bet(&alice, "all", 100 * UNIT).await);
    let deposit = pitboss_wallet::Deposit {
        reference: crate::world::external("more"),
        amount: crate::world::eur(500),
    };
    settled(
        one.registry
            .execute(&alice.id, Command::Deposit(deposit))
            .await,
    );
    // The other node still holds 100.00 in memory, which would not cover this bet.
    settled(other.bet(&alice, "big", 300 * UNIT).await);
    assert_eq!(
        refused(one.bet(&alice, "bigger", 300 * UNIT).await),
        RefusalCode::InsufficientFunds
    );
    assert!(settled(one.bet(&alice, "big", 300 * UNIT).await).replayed);
}

#[actix::test]
async fn two_nodes_on_one_ledger_lose_and_double_nothing() {
    let ledger = TestLedger::new();
    let nodes = [Node::new(&ledger), Node::new(&ledger)];
    let alice = nodes[0].player("alice").await;
    let sprayed = (0..40).map(|n| {
        let (nodes, alice) = (&nodes, &alice);
        async move {
            // Each id twice, on either node.
            for node in [&nodes[n % 2], &nodes[(n + 1) % 2]] {
                let mut answer = node.bet(alice, &format!("b{}", n / 2), UNIT).await;
                while matches!(answer, Err(Failure::Retry | Failure::Busy(_))) {
                    answer = node.bet(alice, &format!("b{}", n / 2), UNIT).await;
                }
                settled(answer);
            }
        }
    });
    join_all(sprayed).await;
    settled(nodes[0].bet(&alice, "last", UNIT).await);
    assert_eq!(nodes[0].cash(&alice).await, 79 * UNIT);
}

#[actix::test]
async fn an_idle_player_leaves_memory_and_comes_back_as_he_was() {
    let ledger = TestLedger::new();
    let node = Node::new(&ledger);
    let alice = node.player("alice").await;
    settled(node.bet(&alice, "b", UNIT).await);
    node.registry.evict_idle(Duration::ZERO, 10);
    eventually("alice leaves", || node.registry.is_empty()).await;
    let loads = ledger.loads.load(Ordering::SeqCst);
    assert!(
        settled(node.bet(&alice, "b", UNIT).await).replayed,
        "answered from the ledger"
    );
    assert_eq!(node.cash(&alice).await, 99 * UNIT);
    // Once to begin with, and once after the commit had found the repeat.
    assert_eq!(ledger.loads.load(Ordering::SeqCst), loads + 2);
}

#[derive(Default)]
struct Seen(Mutex<Vec<i64>>);

impl EventSink for Seen {
    fn push(&self, events: &[Arc<Event>]) -> SinkState {
        self.0
            .lock()
            .unwrap()
            .extend(events.iter().map(|event| event.seq));
        SinkState::Open
    }
}

#[actix::test]
async fn a_sink_sees_every_event_after_its_snapshot_and_keeps_its_player_in_memory() {
    let node = Node::new(&TestLedger::new());
    let alice = node.player("alice").await;
    let sink = Arc::new(Seen::default());
    let snapshot = node
        .registry
        .subscribe(&alice.id, sink.clone())
        .await
        .unwrap();
    for n in 0..5 {
        settled(node.bet(&alice, &format!("b{n}"), UNIT).await);
    }
    let seen = sink.0.lock().unwrap().clone();
    let expected: Vec<i64> = (snapshot.seq + 1..=snapshot.seq + 6).collect();
    assert_eq!(seen, expected, "one round opened, five bets");
    node.registry.evict_idle(Duration::ZERO, 10);
    assert_eq!(node.cash(&alice).await, 95 * UNIT);
    assert_eq!(node.registry.len(), 1);
}

#[actix::test]
async fn a_sink_is_dropped_when_the_state_is_so_that_its_session_comes_back() {
    let ledger = TestLedger::new();
    let node = Node::new(&ledger);
    let alice = node.player("alice").await;
    let sink = Arc::new(Seen::default());
    node.registry
        .subscribe(&alice.id, sink.clone())
        .await
        .unwrap();
    ledger.memory.inject(Fault::LostAnswer);
    assert_eq!(node.bet(&alice, "b", UNIT).await, Err(Failure::Retry));
    eventually("the sink is dropped", || Arc::strong_count(&sink) == 1).await;
    assert!(sink.0.lock().unwrap().is_empty());
}
