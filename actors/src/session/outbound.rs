//! What waits for one client, bounded in bytes; filled by the player's actor, drained by the session.
//!
//! A client that does not read stops its session from being polled: nothing inside the session can bound
//! anything then. So the bound is kept here, on the side that pushes. No message is sent to wake the session:
//! a mailbox would be one more queue. The waker of the session's own task is woken, once for any number of
//! pushes, and a woken session that cannot write costs nothing.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use pitboss_wallet::Event;
use tokio::time::Instant;

use super::close::CloseCode;
use crate::stream::{EventSink, SinkState};

/// Beyond this, an empty queue gives its memory back: most sessions are idle most of the time.
const SPARE_EVENTS: usize = 16;

/// The outbound queue of one session, and what is known of the session from outside.
pub(super) struct Outbound {
    max_queued_bytes: usize,
    /// The bytes queued in all sessions.
    total: Arc<AtomicUsize>,
    started: Instant,
    /// Milliseconds from `started` until the client was last heard of.
    last_seen_ms: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<Arc<Event>>,
    bytes: usize,
    /// Of the newest sink. Older ones are gone.
    generation: u64,
    /// The newest sink was dropped: nobody pushes any more.
    sink_lost: bool,
    /// Nothing is taken from now on: the session is to close with this code.
    close: Option<CloseCode>,
    /// The session is no more.
    ended: bool,
    waker: Option<Waker>,
}

/// The next thing to send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    Event(Arc<Event>),
    /// Events up to this one are missing before the next in the queue.
    Hole {
        up_to: i64,
    },
    Nothing,
}

/// What an event costs while it waits, so that many small events are bounded too.
fn cost_bytes(event: &Event) -> usize {
    size_of::<Event>() + event.body.len()
}

impl State {
    fn is_open(&self) -> bool {
        self.close.is_none() && !self.ended
    }
}

impl Outbound {
    pub(super) fn new(max_queued_bytes: usize, total: Arc<AtomicUsize>) -> Self {
        Self {
            max_queued_bytes,
            total,
            started: Instant::now(),
            last_seen_ms: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// A poisoned lock is taken all the same: nothing here is left half done.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new sink for a player's actor. All earlier ones are gone from now on.
    pub(super) fn sink(self: &Arc<Self>) -> Arc<dyn EventSink> {
        let mut state = self.lock();
        state.generation += 1;
        state.sink_lost = false;
        Arc::new(Sink {
            outbound: self.clone(),
            generation: state.generation,
        })
    }

    /// Takes the event after `last`, dropping what was sent before.
    pub(super) fn take(&self, last: i64) -> Next {
        let mut state = self.lock();
        while let Some(front) = state.queue.front() {
            if front.seq > last.saturating_add(1) {
                return Next::Hole {
                    up_to: front.seq - 1,
                };
            }
            let Some(event) = state.queue.pop_front() else {
                break;
            };
            let bytes = cost_bytes(&event);
            state.bytes -= bytes;
            self.total.fetch_sub(bytes, Ordering::Relaxed);
            if state.queue.is_empty() && state.queue.capacity() > SPARE_EVENTS {
                state.queue = VecDeque::new();
            }
            if event.seq > last {
                return Next::Event(event);
            }
        }
        Next::Nothing
    }

    /// Whether nobody pushes any more.
    pub(super) fn is_sink_lost(&self) -> bool {
        self.lock().sink_lost
    }

    /// The code to close with, as soon as there is one.
    pub(super) fn poll_close(&self, cx: &Context<'_>) -> Poll<CloseCode> {
        let mut state = self.lock();
        if let Some(code) = state.close {
            return Poll::Ready(code);
        }
        state.register(cx);
        Poll::Pending
    }

    /// Ready when there is anything to do: an event, a lost sink, or a code to close with.
    pub(super) fn poll_ready(&self, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.close.is_some() || state.sink_lost || !state.queue.is_empty() {
            return Poll::Ready(());
        }
        state.register(cx);
        Poll::Pending
    }

    pub(super) fn close_code(&self) -> Option<CloseCode> {
        self.lock().close
    }

    /// Makes the session close with this code when it is next polled, and frees its queue now. The first
    /// code given stays.
    pub(super) fn close(&self, code: CloseCode) {
        let waker = {
            let mut state = self.lock();
            state.close.get_or_insert(code);
            self.free(&mut state);
            state.waker.take()
        };
        wake(waker);
    }

    /// The session is no more. Frees all that it held, also while a player still holds a sink.
    pub(super) fn end(&self) {
        let waker = {
            let mut state = self.lock();
            state.ended = true;
            self.free(&mut state);
            state.waker.take()
        };
        drop(waker);
    }

    fn free(&self, state: &mut State) {
        self.total.fetch_sub(state.bytes, Ordering::Relaxed);
        state.bytes = 0;
        state.queue = VecDeque::new();
    }

    pub(super) fn is_open(&self) -> bool {
        self.lock().is_open()
    }

    /// The client was heard of.
    pub(super) fn seen(&self) {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_seen_ms.store(ms, Ordering::Relaxed);
    }

    /// How long nothing has come from the client.
    pub(super) fn silence(&self) -> Duration {
        let seen = Duration::from_millis(self.last_seen_ms.load(Ordering::Relaxed));
        self.started.elapsed().saturating_sub(seen)
    }

    fn push(&self, generation: u64, events: &[Arc<Event>]) -> SinkState {
        let (result, waker) = {
            let mut state = self.lock();
            if !state.is_open() || generation != state.generation {
                return SinkState::Gone;
            }
            if events.is_empty() {
                return SinkState::Open;
            }
            let more: usize = events.iter().map(|event| cost_bytes(event)).sum();
            if state.bytes.saturating_add(more) > self.max_queued_bytes {
                state.close = Some(CloseCode::SlowConsumer);
                self.free(&mut state);
                (SinkState::Gone, state.waker.take())
            } else {
                state.bytes += more;
                self.total.fetch_add(more, Ordering::Relaxed);
                state.queue.extend(events.iter().cloned());
                (SinkState::Open, state.waker.take())
            }
        };
        wake(waker);
        result
    }

    fn lose_sink(&self, generation: u64) {
        let waker = {
            let mut state = self.lock();
            if generation != state.generation {
                return;
            }
            state.sink_lost = true;
            state.waker.take()
        };
        wake(waker);
    }
}

impl State {
    /// Kept until it is woken: any number of pushes wakes once.
    fn register(&mut self, cx: &Context<'_>) {
        match &mut self.waker {
            Some(waker) if waker.will_wake(cx.waker()) => {}
            waker => *waker = Some(cx.waker().clone()),
        }
    }
}

/// Outside the lock: a waker runs foreign code.
fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The end that a player's actor holds.
struct Sink {
    outbound: Arc<Outbound>,
    generation: u64,
}

impl EventSink for Sink {
    fn push(&self, events: &[Arc<Event>]) -> SinkState {
        self.outbound.push(self.generation, events)
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.outbound.lose_sink(self.generation);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use pitboss_wallet::{EventType, Timestamp};
    use uuid::Uuid;

    use super::*;

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
        let outbound = Arc::new(Outbound::new(max_queued_bytes, total.clone()));
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
        assert_eq!(outbound.lock().queue.capacity(), 0);
        assert_eq!(sink.push(&[]), SinkState::Gone);
        assert_eq!(outbound.take(0), Next::Nothing);
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
        assert!(outbound.poll_ready(&cx).is_pending());
        for seq in 1..=1000 {
            assert_eq!(sink.push(&[event(seq, 10)]), SinkState::Open);
        }
        assert_eq!(wakes.0.load(Ordering::SeqCst), 1);
        assert!(outbound.poll_ready(&cx).is_ready());
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
                .poll_ready(&Context::from_waker(&waker))
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
                .poll_ready(&Context::from_waker(&waker))
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
}
