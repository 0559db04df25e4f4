//! What waits for one client, bounded in bytes; filled by the player's actor, drained by the session.
//!
//! A client that does not read stops its session from being polled: nothing inside the session can bound
//! anything then. So the bound is kept here, on the side that pushes. No message is sent to wake the session:
//! a mailbox would be one more queue. The waker of the session's own task is woken, once for any number of
//! pushes, and a woken session that cannot write costs nothing.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use pitboss_wallet::Event;
use tokio::time::Instant;

use super::{
    close::CloseCode,
    message::Resume,
    queue::{Next, Queue},
    topics::Topics,
};
use crate::stream::{EventSink, Login, SinkState};

/// What `passed` is before the greeting.
const NOT_GREETED: i64 = -1;

/// The outbound queue of one session, and what is known of the session from outside.
pub(super) struct Outbound {
    max_queued_bytes: usize,
    /// The bytes queued in all sessions.
    total: Arc<AtomicUsize>,
    started: Instant,
    /// Milliseconds from `started` until the client was last heard of.
    last_seen_ms: AtomicU64,
    /// The newest event that was given out, or passed over because the client does not want it.
    passed: AtomicI64,
    state: Mutex<State>,
}

struct State {
    queue: Queue,
    topics: Topics,
    login: Login,
    /// A client on an open socket asks to be told again what it missed.
    resume: Option<Box<Resume>>,
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

impl State {
    fn is_open(&self) -> bool {
        self.close.is_none() && !self.ended
    }
}

impl Outbound {
    pub(super) fn new(
        max_queued_bytes: usize,
        total: Arc<AtomicUsize>,
        login: Login,
        topics: Topics,
    ) -> Self {
        Self {
            max_queued_bytes,
            total,
            started: Instant::now(),
            last_seen_ms: AtomicU64::new(0),
            passed: AtomicI64::new(NOT_GREETED),
            state: Mutex::new(State {
                queue: Queue::default(),
                topics,
                login,
                resume: None,
                generation: 0,
                sink_lost: false,
                close: None,
                ended: false,
                waker: None,
            }),
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

    /// Takes what comes after `last`, dropping what was sent before.
    pub(super) fn take(&self, last: i64) -> Next {
        let mut state = self.lock();
        let before = state.queue.bytes();
        let next = state.queue.take(last);
        let freed = before - state.queue.bytes();
        drop(state);
        self.total.fetch_sub(freed, Ordering::Relaxed);
        next
    }

    pub(super) fn topics(&self) -> Topics {
        self.lock().topics
    }

    /// From the next event on the client gets these topics. What waits was chosen by the old ones: it comes
    /// from the ledger instead.
    pub(super) fn set_topics(&self, topics: Topics) {
        let waker = {
            let mut state = self.lock();
            state.topics = topics;
            self.free(&mut state);
            state.waker.take()
        };
        wake(waker);
    }

    pub(super) fn login(&self) -> Login {
        self.lock().login
    }

    /// From now on the socket lives as long as this login.
    pub(super) fn set_login(&self, login: Login) {
        self.lock().login = login;
    }

    /// Asks the feed to begin again from there, unless it was asked before and has not begun yet.
    pub(super) fn ask_to_resume(&self, resume: Resume) -> Result<(), Resume> {
        let waker = {
            let mut state = self.lock();
            if state.resume.is_some() {
                return Err(resume);
            }
            state.resume = Some(Box::new(resume));
            state.waker.take()
        };
        wake(waker);
        Ok(())
    }

    pub(super) fn take_resume(&self) -> Option<Box<Resume>> {
        self.lock().resume.take()
    }

    /// There are events up to this one. A session that is not that far yet looks into the ledger.
    pub(super) fn look(&self, known: i64) {
        let waker = {
            let mut state = self.lock();
            state.queue.note(known);
            state.waker.take()
        };
        wake(waker);
    }

    /// The newest event that was given out or passed over; `None` before the greeting.
    pub(super) fn passed(&self) -> Option<i64> {
        let passed = self.passed.load(Ordering::Relaxed);
        (passed != NOT_GREETED).then_some(passed)
    }

    pub(super) fn set_passed(&self, seq: i64) {
        self.passed.store(seq, Ordering::Relaxed);
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

    /// Ready when there is anything to do: an event after `last`, a lost sink, a client that wants to resume,
    /// or a code to close with.
    pub(super) fn poll_ready(&self, last: i64, cx: &Context<'_>) -> Poll<()> {
        let mut state = self.lock();
        if state.close.is_some()
            || state.sink_lost
            || state.resume.is_some()
            || state.queue.has_more_than(last)
        {
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
        self.total.fetch_sub(state.queue.bytes(), Ordering::Relaxed);
        state.queue.forget();
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
            let before = state.queue.bytes();
            let topics = state.topics;
            for event in events {
                state.queue.push(event, topics);
            }
            let more = state.queue.bytes() - before;
            self.total.fetch_add(more, Ordering::Relaxed);
            if state.queue.bytes() > self.max_queued_bytes {
                state.close = Some(CloseCode::SlowConsumer);
                self.free(&mut state);
                (SinkState::Gone, state.waker.take())
            } else {
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
pub(super) mod tests;
