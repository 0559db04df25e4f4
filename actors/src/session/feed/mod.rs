//! What a session sends, in order: the greeting, then every event exactly once.
//!
//! The feed knows `last`, the newest `seq` it gave out, and nothing is sent but `last + 1`. Whatever is missing
//! before the next event, because the client was away, the player's actor ended, or another server committed,
//! is read from the ledger first ([`reach`]). Meanwhile live events wait in the [`Outbound`] queue, which is the
//! gate. What the client did not subscribe to counts as given out: `last` passes over it.

mod reach;
mod shown;

use std::{
    collections::VecDeque, future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration,
};

use bytestring::ByteString;
use futures_util::{Stream, stream};
use pitboss_wallet::{EventType, PlayerId};
use serde::Deserialize;
use tokio::time::{Instant, Sleep};

use super::{
    StreamLimits, StreamPorts,
    balances::Balances,
    close::CloseCode,
    message::{Message, Resume},
    outbound::Outbound,
    queue::Next,
};
use crate::ports::PlayerEvent;

/// What is given out in one go, before the connection gets its turn. The connection takes no more while its
/// own buffer is full, so this is how far a session can be ahead of a client that does not read.
const QUANTUM_BYTES: usize = 16 * 1024;
/// A sink that is lost sooner than this counts as another failure to reach the player.
const STABLE_AFTER: Duration = Duration::from_secs(5);

/// One thing for the session to do.
#[derive(Debug)]
pub(super) enum Out {
    Text(ByteString),
    Ping,
    Close(CloseCode),
}

pub(super) struct Feed {
    pub outbound: Arc<Outbound>,
    pub player: PlayerId,
    pub ports: Arc<StreamPorts>,
    /// Taken by the greeting.
    pub resume: Option<Box<Resume>>,
    pub progress: Progress,
}

/// How far a feed is.
pub(super) struct Progress {
    subscribed_at: Option<Instant>,
    greeted: bool,
    /// Failures to reach the player, or to stay with him, in a row.
    failures: u32,
    /// The newest event given out.
    last: i64,
    /// The newest event that is known to be in the ledger.
    known: i64,
    /// Read from the ledger, not yet given out.
    page: VecDeque<PlayerEvent>,
    /// What the client was not told yet, if it wants to be.
    balances: Balances,
    given_bytes: usize,
    next_ping: Instant,
    next_check: Instant,
    timer: Pin<Box<Sleep>>,
}

impl Progress {
    pub(super) fn new(limits: &StreamLimits) -> Self {
        let now = Instant::now();
        Self {
            subscribed_at: None,
            greeted: false,
            failures: 0,
            last: 0,
            known: 0,
            page: VecDeque::new(),
            balances: Balances::default(),
            given_bytes: 0,
            next_ping: now + limits.heartbeat,
            next_check: now,
            timer: Box::pin(tokio::time::sleep_until(now)),
        }
    }
}

impl Feed {
    /// Ends after the first [`Out::Close`].
    pub(super) fn into_stream(self: Box<Self>) -> impl Stream<Item = Out> + 'static {
        stream::unfold(Some(self), |feed| async {
            let mut feed = feed?;
            let out = feed.next().await;
            let open = !matches!(out, Out::Close(_));
            Some((out, open.then_some(feed)))
        })
    }

    async fn next(&mut self) -> Out {
        match self.step().await {
            Ok(out) => out,
            Err(code) => Out::Close(code),
        }
    }

    async fn step(&mut self) -> Result<Out, CloseCode> {
        loop {
            if let Some(code) = self.outbound.close_code() {
                return Err(code);
            }
            if self.check_timers()? {
                return Ok(Out::Ping);
            }
            if self.progress.given_bytes >= QUANTUM_BYTES {
                self.progress.given_bytes = 0;
                yield_once().await;
                continue;
            }
            if let Some(resume) = self.outbound.take_resume() {
                self.begin_again(resume);
            }
            if self.progress.subscribed_at.is_none() {
                // Boxed, like the fetch below: rare, and an idle session should not carry their size.
                if let Some(greeting) = Box::pin(self.subscribe()).await? {
                    return Ok(self.give(greeting));
                }
            } else if let Some(event) = self.progress.page.pop_front() {
                if let Some(text) = self.choose(&event)? {
                    return Ok(self.give(text));
                }
            } else if self.progress.last < self.progress.known {
                Box::pin(self.fetch()).await?;
            } else {
                match self.outbound.take(self.progress.last) {
                    Next::Event(event) => {
                        self.pass(event.seq);
                        self.note_balance(&event.body);
                        let text = shown::shown(event.kind, &event.body).map_err(unreadable)?;
                        return Ok(self.give(text));
                    }
                    Next::Passed(passed) => {
                        self.pass(passed.to);
                        self.progress.balances.merge(passed.balances);
                    }
                    Next::Hole { up_to } => self.progress.known = up_to,
                    // Only now that nothing is left of what waited: the newest is enough.
                    Next::Nothing if !self.progress.balances.is_empty() => {
                        return Ok(self.tell_balances());
                    }
                    Next::Nothing if self.outbound.is_sink_lost() => self.lost(),
                    Next::Nothing => self.wait().await,
                }
            }
        }
    }

    /// The client is told anew where it stands, as if it had just connected.
    fn begin_again(&mut self, resume: Box<Resume>) {
        self.resume = Some(resume);
        self.progress.greeted = false;
        self.progress.subscribed_at = None;
        self.progress.failures = 0;
        self.progress.page = VecDeque::new();
        self.progress.balances = Balances::default();
    }

    /// Everything up to this event was given out, or is not wanted.
    fn pass(&mut self, seq: i64) {
        self.progress.last = seq;
        self.progress.known = self.progress.known.max(seq);
        self.outbound.set_passed(seq);
    }

    /// An event from the ledger, if the client wants it.
    fn choose(&mut self, event: &PlayerEvent) -> Result<Option<ByteString>, CloseCode> {
        self.pass(event.seq);
        self.note_balance(&event.body);
        let topics = self.outbound.topics();
        match kind_of(&event.body) {
            Some(kind) if topics.has_all_events() || topics.has(kind) => {
                let text = shown::shown(kind, &event.body).map_err(unreadable)?;
                Ok(Some(text))
            }
            // A type that this version does not know is for those who want everything.
            None if topics.has_all_events() => Ok(Some((&*event.body).into())),
            _ => Ok(None),
        }
    }

    fn note_balance(&mut self, body: &str) {
        if self.outbound.topics().has_balance() {
            self.progress.balances.note(body);
        }
    }

    fn tell_balances(&mut self) -> Out {
        let Balances { seq, wallets } = std::mem::take(&mut self.progress.balances);
        let wallets = &wallets;
        self.give(Message::Balance { seq, wallets }.text())
    }

    fn give(&mut self, text: ByteString) -> Out {
        self.progress.given_bytes += text.len();
        Out::Text(text)
    }

    /// The player's actor is gone: to be subscribed again.
    fn lost(&mut self) {
        let lived = self.progress.subscribed_at.take();
        self.progress.failures = match lived {
            Some(since) if since.elapsed() >= STABLE_AFTER => 0,
            // Without this, an actor that ends at once would be started again and again without a pause. But
            // the player was reached: on a node that shares him with another this happens with every bet,
            // and is no reason to give up.
            _ => (self.progress.failures + 1).min(self.limits().subscribe_retries),
        };
    }

    /// Waits for something to do, or for the next check of the timers.
    async fn wait(&mut self) {
        self.progress.given_bytes = 0;
        let Self {
            outbound, progress, ..
        } = self;
        progress.timer.as_mut().reset(progress.next_check);
        poll_fn(|cx| {
            if outbound.poll_ready(progress.last, cx).is_ready() {
                return Poll::Ready(());
            }
            progress.timer.as_mut().poll(cx)
        })
        .await;
    }

    /// Whether it is time for a ping; an error when it is time to close.
    fn check_timers(&mut self) -> Result<bool, CloseCode> {
        let now = Instant::now();
        if now < self.progress.next_check {
            return Ok(false);
        }
        let lifetime = self.lifetime();
        if lifetime.is_zero() {
            return Err(CloseCode::SessionExpired);
        }
        let patience = self
            .limits()
            .idle_timeout
            .saturating_sub(self.outbound.silence());
        if patience.is_zero() {
            return Err(CloseCode::Idle);
        }
        let ping = now >= self.progress.next_ping;
        if ping {
            self.progress.next_ping = now + self.limits().heartbeat;
        }
        let next = (self.progress.next_ping - now).min(patience).min(lifetime);
        self.progress.next_check = now + next;
        Ok(ping)
    }

    /// What is left of the player's session, by the wall clock.
    fn lifetime(&self) -> Duration {
        let end = self.outbound.login().expires_at;
        let now = self.ports.clock.now();
        let micros = end.as_micros().saturating_sub(now.as_micros());
        Duration::from_micros(u64::try_from(micros).unwrap_or(0))
    }

    fn limits(&self) -> &StreamLimits {
        &self.ports.limits
    }
}

/// The type of an event, by its text.
fn kind_of(body: &str) -> Option<EventType> {
    #[derive(Deserialize)]
    struct Head<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    let Head { kind } = serde_json::from_str(body).ok()?;
    let mut kinds = EventType::ALL.iter();
    kinds.find(|known| known.as_str() == kind).copied()
}

/// An event of ours that is not JSON: a player must not be shown it unread.
fn unreadable(error: serde_json::Error) -> CloseCode {
    tracing::error!(%error, "an event cannot be read");
    CloseCode::Internal
}

/// Lets the connection take what was given so far, and asks to be polled again.
async fn yield_once() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[cfg(test)]
mod tests;
