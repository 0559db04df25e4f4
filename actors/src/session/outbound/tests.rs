//! The bound, the waker and the sinks.

use std::task::Wake;

use pitboss_wallet::{Currency, EventType, SessionId, Timestamp};
use uuid::Uuid;

use super::*;
use crate::session::queue::cost_bytes;

pub(in crate::session) fn open(max_queued_bytes: usize, total: Arc<AtomicUsize>) -> Outbound {
    let login = Login {
        session: SessionId(Uuid::nil()),
        currency: Currency::from_code("EUR").unwrap(),
        expires_at: Timestamp::from_micros(i64::MAX),
    };
    Outbound::new(max_queued_bytes, total, login, Topics::default())
}

fn event(seq: i64, body_bytes: usize) -> Arc<Event> {
    Arc::new(Event {
        id: Uuid::nil(),
        kind: EventType::BetDebited,
        seq,
        at: Timestamp::from_micros(0),
        body: "x".repeat(body_bytes),
    })
}

fn outbound(max_queued_bytes: usize) -> (Arc<Outbound>, Arc<AtomicUsize>) {
    let total = Arc::new(AtomicUsize::new(0));
    let outbound = Arc::new(open(max_queued_bytes, total.clone()));
    (outbound, total)
}

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn events_come_out_once_in_order_and_a_hole_is_named() {
    let (outbound, total) = outbound(1 << 20);
    let sink = outbound.sink();
    assert_eq!(
        sink.push(&[event(3, 1), event(4, 1), event(4, 1), event(7, 1)]),
        SinkState::Open
    );
    assert!(matches!(outbound.take(3), Next::Event(e) if e.seq == 4));
    assert_eq!(outbound.take(4), Next::Hole { up_to: 6 });
    assert_eq!(outbound.take(4), Next::Hole { up_to: 6 });
    assert!(matches!(outbound.take(6), Next::Event(e) if e.seq == 7));
    assert_eq!(outbound.take(7), Next::Nothing);
    assert_eq!(total.load(Ordering::Relaxed), 0);
}

#[test]
fn over_the_bound_the_queue_is_freed_at_once_and_the_sink_is_gone() {
    let one = cost_bytes(&event(1, 1000));
    let (outbound, total) = outbound(one * 3);
    let sink = outbound.sink();
    for seq in 1..=3 {
        assert_eq!(sink.push(&[event(seq, 1000)]), SinkState::Open);
    }
    assert_eq!(total.load(Ordering::Relaxed), one * 3);

    assert_eq!(sink.push(&[event(4, 1000)]), SinkState::Gone);

    assert_eq!(outbound.close_code(), Some(CloseCode::SlowConsumer));
    assert_eq!(total.load(Ordering::Relaxed), 0);
    assert_eq!(sink.push(&[]), SinkState::Gone);
    // Nothing of it is in memory any more.
    assert_eq!(outbound.take(0), Next::Hole { up_to: 4 });
}

#[test]
fn empty_bodies_are_bounded_too() {
    let (outbound, _) = outbound(64 * 1024);
    let sink = outbound.sink();
    let pushed = (1..100_000)
        .take_while(|seq| sink.push(&[event(*seq, 0)]) == SinkState::Open)
        .count();
    assert!(pushed <= 1024, "{pushed}");
}

#[test]
fn any_number_of_pushes_wakes_a_waiting_session_once() {
    let (outbound, _) = outbound(1 << 20);
    let sink = outbound.sink();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    let cx = Context::from_waker(&waker);
    assert!(outbound.poll_ready(0, &cx).is_pending());
    for seq in 1..=1000 {
        assert_eq!(sink.push(&[event(seq, 10)]), SinkState::Open);
    }
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
    assert!(outbound.poll_ready(0, &cx).is_ready());
}

#[test]
fn a_dropped_sink_wakes_the_session_unless_a_newer_one_listens() {
    let (outbound, _) = outbound(1 << 20);
    let old = outbound.sink();
    let new = outbound.sink();
    assert_eq!(old.push(&[event(1, 1)]), SinkState::Gone);
    drop(old);
    assert!(!outbound.is_sink_lost());

    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    assert!(
        outbound
            .poll_ready(0, &Context::from_waker(&waker))
            .is_pending()
    );
    drop(new);
    assert!(outbound.is_sink_lost());
    assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
}

#[test]
fn an_ended_session_keeps_nothing_alive_through_a_sink() {
    let (outbound, total) = outbound(1 << 20);
    let sink = outbound.sink();
    let wakes = Arc::new(Wakes::default());
    let waker = Waker::from(wakes.clone());
    assert!(
        outbound
            .poll_ready(0, &Context::from_waker(&waker))
            .is_pending()
    );
    assert_eq!(sink.push(&[event(1, 10)]), SinkState::Open);
    assert!(
        outbound
            .poll_close(&Context::from_waker(&waker))
            .is_pending()
    );
    outbound.end();
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 1);
    assert_eq!(total.load(Ordering::Relaxed), 0);
    assert_eq!(sink.push(&[event(2, 10)]), SinkState::Gone);
}

#[test]
fn the_first_reason_to_close_stays() {
    let (outbound, _) = outbound(1 << 20);
    outbound.close(CloseCode::Replaced);
    outbound.close(CloseCode::GoingAway);
    assert_eq!(outbound.close_code(), Some(CloseCode::Replaced));
}
