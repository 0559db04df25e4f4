//! Group commit.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::future::join_all;
use pitboss_actors::{journal::JournalLimits, player::Failure};

use crate::world::{JOURNAL, Node, REGISTRY, TestLedger, UNIT, eventually, settled};

#[actix::test]
async fn what_waits_while_a_commit_is_under_way_goes_into_the_next_one() {
    let ledger = TestLedger::new();
    let node = Node::with(
        &ledger,
        REGISTRY,
        JournalLimits {
            writers: 1,
            batch_max: 64,
            ..JOURNAL
        },
    );
    let mut players = Vec::new();
    for n in 0..12 {
        players.push(node.player(&format!("p{n}")).await);
    }
    ledger.batches.lock().unwrap().clear();
    ledger.hold();
    let (first, others) = players.split_first().unwrap();
    let later = async {
        eventually("the first is under way", || {
            ledger.at_gate.load(Ordering::SeqCst) == 1
        })
        .await;
        let release = async {
            eventually("all wait", || node.journal.depth() == 12).await;
            ledger.release();
        };
        let bets = join_all(others.iter().map(|player| node.bet(player, "b", UNIT)));
        tokio::join!(bets, release).0
    };
    let (answer, answers) = tokio::join!(node.bet(first, "b", UNIT), later);
    assert!(!settled(answer).replayed);
    answers
        .into_iter()
        .for_each(|answer| assert!(!settled(answer).replayed));
    let sizes: Vec<usize> = ledger
        .batches
        .lock()
        .unwrap()
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(
        sizes,
        [1, 11],
        "the first went alone, the others gathered behind it"
    );
}

#[actix::test]
async fn behind_a_commit_that_is_under_way_goes_a_large_one_and_no_third() {
    let ledger = TestLedger::new();
    let limits = JournalLimits {
        writers: 1,
        batch_max: 4,
        ..JOURNAL
    };
    let node = Node::with(&ledger, REGISTRY, limits);
    let mut players = Vec::new();
    for n in 0..9 {
        players.push(node.player(&format!("p{n}")).await);
    }
    ledger.batches.lock().unwrap().clear();
    ledger.hold();
    let at_gate = || ledger.at_gate.load(Ordering::SeqCst);
    let bet = |n: usize| node.bet(&players[n], "b", UNIT);
    let one_by_one = async {
        eventually("the first is under way", || at_gate() == 1).await;
        let small = async {
            eventually("one waits", || node.journal.depth() == 2).await;
            assert_eq!(at_gate(), 1, "alone it waits");
            let large = async {
                eventually("half a batch is under way", || at_gate() == 2).await;
                let release = async {
                    eventually("all wait", || node.journal.depth() == 9).await;
                    assert_eq!(at_gate(), 2, "two are enough");
                    ledger.release();
                };
                tokio::join!(join_all((3..9).map(bet)), release).0
            };
            let (one, mut answers) = tokio::join!(bet(2), large);
            answers.push(one);
            answers
        };
        let (one, mut answers) = tokio::join!(bet(1), small);
        answers.push(one);
        answers
    };
    let (one, mut answers) = tokio::join!(bet(0), one_by_one);
    answers.push(one);
    for answer in answers {
        assert!(!settled(answer).replayed);
    }
    let batches = ledger.batches.lock().unwrap();
    let sizes: Vec<usize> = batches.iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 2, 4, 2]);
}

#[actix::test]
async fn when_two_commits_are_under_way_and_late_both_are_unknown() {
    let ledger = TestLedger::new();
    let limits = JournalLimits {
        writers: 1,
        batch_max: 2,
        commit_timeout: Duration::from_millis(100),
        ..JOURNAL
    };
    let node = Node::with(&ledger, REGISTRY, limits);
    let (alice, bob) = (node.player("alice").await, node.player("bob").await);
    ledger.hold();
    let (one, other) = tokio::join!(node.bet(&alice, "b", UNIT), node.bet(&bob, "b", UNIT));
    assert_eq!((one, other), (Err(Failure::Retry), Err(Failure::Retry)));
    ledger.release();
    for player in [&alice, &bob] {
        assert!(!settled(node.bet(player, "b", UNIT).await).replayed);
        assert_eq!(node.cash(player).await, 99 * UNIT);
    }
}

#[actix::test]
async fn a_batch_has_one_decision_per_player_and_no_more_than_its_limit() {
    let ledger = TestLedger::new();
    let limits = JournalLimits {
        writers: 1,
        batch_max: 4,
        ..JOURNAL
    };
    // Two nodes' actors of one player share this journal's ledger, and so do stale ones on one node.
    let nodes = [
        Node::with(&ledger, REGISTRY, limits),
        Node::with(&ledger, REGISTRY, limits),
    ];
    let mut players = Vec::new();
    for n in 0..10 {
        players.push(nodes[0].player(&format!("p{n}")).await);
    }
    let bets = (0..60).map(|n| {
        let (nodes, player) = (&nodes, &players[n % 10]);
        async move {
            let mut answer = nodes[n % 2].bet(player, &format!("b{n}"), UNIT).await;
            while matches!(answer, Err(Failure::Retry)) {
                answer = nodes[n % 2].bet(player, &format!("b{n}"), UNIT).await;
            }
            settled(answer);
        }
    });
    join_all(bets).await;
    assert_eq!(ledger.doubled_in_a_batch(), 0);
    assert!(
        ledger
            .batches
            .lock()
            .unwrap()
            .iter()
            .all(|batch| batch.len() <= 4)
    );
    for player in &players {
        nodes[0].bet(player, "refresh", 0).await.unwrap().unwrap();
        assert_eq!(nodes[0].cash(player).await, 94 * UNIT);
    }
}

#[actix::test]
async fn a_full_queue_refuses_before_anything_is_written() {
    let ledger = TestLedger::new();
    let node = Node::with(
        &ledger,
        REGISTRY,
        JournalLimits {
            queue_max: 2,
            ..JOURNAL
        },
    );
    let mut players = Vec::new();
    for n in 0..5 {
        players.push(node.player(&format!("p{n}")).await);
    }
    ledger.hold();
    let release = async {
        eventually("the queue is full", || node.registry.in_flight() == 2).await;
        ledger.release();
    };
    let bets = join_all(players.iter().map(|player| node.bet(player, "b", UNIT)));
    let (answers, ()) = tokio::join!(bets, release);
    let busy = answers
        .iter()
        .filter(|answer| **answer == Err(Failure::Busy("journal")))
        .count();
    assert_eq!(busy, 3);
    for (player, answer) in players.iter().zip(&answers) {
        let expected = if answer.is_ok() { 99 } else { 100 };
        assert_eq!(node.cash(player).await, expected * UNIT);
    }
}

#[actix::test]
async fn a_writer_that_panicked_is_replaced_and_its_outcomes_are_unknown() {
    let ledger = TestLedger::new();
    let node = Node::new(&ledger);
    let alice = node.player("alice").await;
    ledger.commit_panics.store(true, Ordering::SeqCst);
    assert_eq!(node.bet(&alice, "b", UNIT).await, Err(Failure::Retry));
    // A decision may still reach the mailbox of the writer that is ending: unknown again, as it must be.
    let mut again = node.bet(&alice, "b", UNIT).await;
    while again == Err(Failure::Retry) {
        again = node.bet(&alice, "b", UNIT).await;
    }
    assert!(!settled(again).replayed);
    assert_eq!(node.cash(&alice).await, 99 * UNIT);
    assert_eq!(node.journal.depth(), 0);
}

#[actix::test]
async fn a_commit_that_takes_too_long_is_unknown_and_its_writer_is_not_used_again() {
    let ledger = TestLedger::new();
    let limits = JournalLimits {
        commit_timeout: Duration::from_millis(100),
        ..JOURNAL
    };
    let node = Node::with(&ledger, REGISTRY, limits);
    let alice = node.player("alice").await;
    ledger.hold();
    assert_eq!(node.bet(&alice, "b", UNIT).await, Err(Failure::Retry));
    ledger.release();
    assert!(
        !settled(node.bet(&alice, "b", UNIT).await).replayed,
        "it never reached the ledger"
    );
    assert_eq!(node.cash(&alice).await, 99 * UNIT);
}

#[actix::test]
async fn a_writer_that_lingers_still_commits() {
    let limits = JournalLimits {
        linger: Duration::from_millis(2),
        ..JOURNAL
    };
    let node = Node::with(&TestLedger::new(), REGISTRY, limits);
    let alice = node.player("alice").await;
    assert!(!settled(node.bet(&alice, "b", UNIT).await).replayed);
}
