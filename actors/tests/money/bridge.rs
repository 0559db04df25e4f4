//! The bridge to the bus, and the sweeper.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix::Arbiter;
use async_trait::async_trait;
use pitboss_actors::{
    bridge::{Bridge, BridgeHandle, BridgeLimits},
    ports::{
        Bus, BusSession, Families, FoundStream, Ids, Outbox, OutboxEvent, PortError, Retention,
    },
    sweeper::{Sweeper, SweeperLimits},
};
use serde_json::Value;

use crate::world::{Node, TestIds, TestLedger, UNIT, eventually, origin, settled};

/// A bus that may be away, that fails in the middle of a batch when it is told to, and that may lose all it has.
#[derive(Clone, Default)]
struct TestBus {
    away: Arc<AtomicBool>,
    fail_after: Arc<AtomicUsize>,
    got: Arc<Mutex<Vec<OutboxEvent>>>,
    /// How often it was emptied: its streams are others then, and no older connection works.
    emptied: Arc<AtomicUsize>,
}

#[async_trait]
impl Bus for TestBus {
    async fn connect(&self) -> Result<Arc<dyn BusSession>, PortError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(PortError("away".into()));
        }
        Ok(Arc::new(TestSession {
            bus: self.clone(),
            made: self.emptied.load(Ordering::SeqCst),
        }))
    }
}

struct TestSession {
    bus: TestBus,
    made: usize,
}

#[async_trait]
impl BusSession for TestSession {
    fn streams(&self) -> Vec<FoundStream> {
        let got = self.bus.got.lock().unwrap();
        ["wallet", "game"]
            .map(|family| {
                let kept = got.iter().filter(|event| event.family() == family);
                FoundStream {
                    family: family.into(),
                    made_at: Some(self.made.to_string()),
                    newest: i64::try_from(kept.count()).unwrap(),
                }
            })
            .into()
    }

    async fn make_streams(&self) -> Result<Vec<FoundStream>, PortError> {
        Ok(self.streams())
    }

    async fn publish(&self, events: Vec<OutboxEvent>) -> Result<Families, PortError> {
        if self.bus.away.load(Ordering::SeqCst) || !self.is_alive() {
            return Err(PortError("away".into()));
        }
        let fail_after = self.bus.fail_after.swap(0, Ordering::SeqCst);
        let mut newest = Families::new();
        for (count, event) in events.into_iter().enumerate() {
            if fail_after > 0 && count >= fail_after {
                return Err(PortError("broken off".into()));
            }
            let family = event.family().to_owned();
            let mut got = self.bus.got.lock().unwrap();
            got.push(event);
            let kept = got.iter().filter(|event| event.family() == family);
            newest.insert(family.clone(), i64::try_from(kept.count()).unwrap());
        }
        Ok(newest)
    }

    fn is_alive(&self) -> bool {
        self.bus.emptied.load(Ordering::SeqCst) == self.made
    }
}

impl TestBus {
    fn count(&self) -> usize {
        self.distinct().len()
    }

    /// What a subscriber keeps that drops repeats by id.
    fn distinct(&self) -> Vec<OutboxEvent> {
        let mut seen = HashSet::new();
        let got = self.got.lock().unwrap();
        got.iter()
            .filter(|event| seen.insert(event.id))
            .cloned()
            .collect()
    }

    /// It comes back from a crash without anything.
    fn empty(&self) {
        self.got.lock().unwrap().clear();
        self.emptied.fetch_add(1, Ordering::SeqCst);
    }

    /// Every player's `seq` goes up by one from 1.
    fn assert_in_order(&self) {
        let mut last = HashMap::new();
        for event in self.distinct() {
            let body: Value = serde_json::from_str(&event.body).unwrap();
            let seq = body["seq"].as_i64().unwrap();
            let last = last.entry(event.player.clone()).or_default();
            assert_eq!(seq, *last + 1, "{:?}", event.player);
            *last = seq;
        }
    }
}

const LIMITS: BridgeLimits = BridgeLimits {
    batch_max: 7,
    poll: Duration::from_millis(20),
    linger: Duration::from_millis(1),
    linger_busy: Duration::from_millis(5),
    lease: Duration::from_secs(3),
    retry_after: Duration::from_millis(10),
    retention: Retention {
        keep: Duration::from_secs(3600),
        hold: Duration::from_secs(3600),
    },
    trim_every: Duration::from_millis(20),
    trim_batch_max: 10,
};

fn start(arbiter: &Arbiter, node: &Node, bus: &TestBus) -> BridgeHandle {
    let outbox: Arc<dyn Outbox> = Arc::new(node.ledger.memory.clone());
    let bus = Arc::new(bus.clone());
    Bridge::start_on(
        &arbiter.handle(),
        "sandbox",
        TestIds.uuid(),
        outbox,
        bus,
        node.wake.clone(),
        LIMITS,
    )
}

/// Bets of five players; returns the number of events in the outbox.
async fn play(node: &Node, round: usize) -> usize {
    for n in 0..5 {
        let player = node.player(&format!("p{round}-{n}")).await;
        for bet in 0..4 {
            settled(node.bet(&player, &format!("b{bet}"), UNIT).await);
        }
    }
    // Opened, deposited, launched, round opened, four bets: eight each.
    (round + 1) * 5 * 8
}

#[actix::test]
async fn every_event_reaches_the_bus_in_order_per_player() {
    let (node, bus, arbiter) = (
        Node::new(&TestLedger::new()),
        TestBus::default(),
        Arbiter::new(),
    );
    let handle = start(&arbiter, &node, &bus);
    let events = play(&node, 0).await;
    eventually("all are published", || bus.count() == events).await;
    bus.assert_in_order();
    assert!(handle.drain(Duration::from_secs(5)).await);
}

#[actix::test]
async fn a_bus_that_is_away_stops_no_bet_and_gets_everything_when_it_is_back() {
    let (node, bus, arbiter) = (
        Node::new(&TestLedger::new()),
        TestBus::default(),
        Arbiter::new(),
    );
    bus.away.store(true, Ordering::SeqCst);
    let handle = start(&arbiter, &node, &bus);
    play(&node, 0).await;
    assert_eq!(bus.count(), 0);
    bus.away.store(false, Ordering::SeqCst);
    let events = play(&node, 1).await;
    eventually("all are published", || bus.count() == events).await;
    bus.assert_in_order();
    assert!(handle.drain(Duration::from_secs(5)).await);
}

#[actix::test]
async fn a_batch_that_breaks_off_is_published_again_and_nothing_is_lost_or_out_of_order() {
    let (node, bus, arbiter) = (
        Node::new(&TestLedger::new()),
        TestBus::default(),
        Arbiter::new(),
    );
    bus.fail_after.store(3, Ordering::SeqCst);
    let handle = start(&arbiter, &node, &bus);
    let events = play(&node, 0).await;
    eventually("all are published", || bus.count() == events).await;
    bus.assert_in_order();
    assert!(handle.drain(Duration::from_secs(5)).await);
}

#[actix::test]
async fn a_bus_that_lost_all_it_had_gets_it_again_in_order_while_bets_go_on() {
    let (node, bus, arbiter) = (
        Node::new(&TestLedger::new()),
        TestBus::default(),
        Arbiter::new(),
    );
    let handle = start(&arbiter, &node, &bus);
    let events = play(&node, 0).await;
    eventually("all are published", || bus.count() == events).await;
    bus.empty();
    let events = play(&node, 1).await;
    eventually("all are published again", || bus.count() == events).await;
    bus.assert_in_order();
    // Nobody plays: it is noticed all the same.
    bus.empty();
    eventually("all are published again", || bus.count() == events).await;
    bus.assert_in_order();
    assert!(handle.drain(Duration::from_secs(5)).await);
}

#[actix::test]
async fn a_bridge_that_has_nothing_to_publish_ends_without_its_bus() {
    let (node, bus, arbiter) = (
        Node::new(&TestLedger::new()),
        TestBus::default(),
        Arbiter::new(),
    );
    bus.away.store(true, Ordering::SeqCst);
    let handle = start(&arbiter, &node, &bus);
    assert!(handle.drain(Duration::from_secs(5)).await);
}

#[actix::test]
async fn a_bridge_that_stops_publishes_what_is_left_and_the_next_one_goes_on_from_there() {
    let (node, bus, arbiter) = (
        Node::new(&TestLedger::new()),
        TestBus::default(),
        Arbiter::new(),
    );
    let first = start(&arbiter, &node, &bus);
    let events = play(&node, 0).await;
    assert!(first.drain(Duration::from_secs(5)).await);
    assert_eq!(bus.count(), events, "a drained bridge has published all");
    let second = start(&arbiter, &node, &bus);
    let events = play(&node, 1).await;
    eventually("all are published", || bus.count() == events).await;
    bus.assert_in_order();
    assert_eq!(
        bus.got.lock().unwrap().len(),
        events,
        "nothing was published twice"
    );
    assert!(second.drain(Duration::from_secs(5)).await);
}

#[actix::test]
async fn two_bridges_share_the_lanes_and_publish_each_event_once() {
    let ledger = TestLedger::new();
    let (one, other, bus) = (Node::new(&ledger), Node::new(&ledger), TestBus::default());
    let arbiter = Arbiter::new();
    let handles = [start(&arbiter, &one, &bus), start(&arbiter, &other, &bus)];
    play(&one, 0).await;
    let events = play(&other, 1).await;
    eventually("all are published", || bus.count() == events).await;
    bus.assert_in_order();
    assert_eq!(
        bus.got.lock().unwrap().len(),
        events,
        "nothing was published twice"
    );
    for handle in handles {
        assert!(handle.drain(Duration::from_secs(5)).await);
    }
}

#[actix::test]
async fn the_sweeper_closes_a_round_that_waited_too_long_and_lets_idle_players_go() {
    let ledger = TestLedger::new();
    let (node, arbiter) = (Node::new(&ledger), Arbiter::new());
    ledger.memory.put_provider(&origin());
    let alice = node.player("alice").await;
    settled(node.bet(&alice, "b", UNIT).await);
    node.clock.0.store(61_000_000, Ordering::SeqCst);
    Sweeper::start_on(
        &arbiter.handle(),
        node.registry.clone(),
        Arc::new(ledger.memory.clone()),
        node.clock.clone(),
        SweeperLimits {
            every: Duration::from_millis(20),
            idle: Duration::from_millis(50),
            batch_max: 10,
        },
    );
    eventually("alice leaves", || node.registry.is_empty()).await;
    let snapshot = node.registry.view(&alice.id).await.unwrap();
    assert!(
        snapshot.open_rounds.is_empty(),
        "{:?}",
        snapshot.open_rounds
    );
}
