//! What a session sends, in order: the greeting, then every event exactly once.
//!
//! The feed knows `last`, the newest `seq` it gave out, and nothing is sent but `last + 1`. Whatever is missing
//! before the next event, because the client was away, the player's actor ended, or another server committed,
//! is read from the ledger first. Meanwhile live events wait in the [`Outbound`] queue, which is the gate.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bytestring::ByteString;
use futures_util::{Stream, stream};
use pitboss_wallet::{PlayerId, Timestamp};
use tokio::time::{Instant, Sleep};
use uuid::Uuid;

use super::{
    StreamLimits,
    close::CloseCode,
    message,
    outbound::{Next, Outbound},
};
use crate::{
    ports::{Clock, Ledger, PlayerEvent, PortError},
    stream::{Snapshot, StreamSource},
};

/// What is given out in one go, before the connection gets its turn. The connection takes no more while its
/// own buffer is full, so this is how far a session can be ahead of a client that does not read.
const QUANTUM_BYTES: usize = 16 * 1024;
/// A sink that is lost sooner than this counts as another failure to reach the player.
const STABLE_AFTER: Duration = Duration::from_secs(5);
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// One thing for the session to do.
#[derive(Debug)]
pub(super) enum Out {
    Text(ByteString),
    Ping,
    Close(CloseCode),
}

/// Where a client was when it left.
#[derive(Debug)]
pub(super) struct Resume {
    pub after: i64,
    pub epoch: Option<String>,
}

pub(super) struct Feed {
    pub outbound: Arc<Outbound>,
    pub player: PlayerId,
    pub environment: &'static str,
    pub incarnation: Uuid,
    pub expires_at: Option<Timestamp>,
    pub limits: StreamLimits,
    pub source: Arc<dyn StreamSource>,
    pub ledger: Arc<dyn Ledger>,
    pub clock: Arc<dyn Clock>,
    /// Taken by the greeting.
    pub resume: Option<Resume>,
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
            if self.progress.subscribed_at.is_none() {
                // Boxed, like the fetch below: rare, and an idle session should not carry their size.
                if let Some(greeting) = Box::pin(self.subscribe()).await? {
                    return Ok(self.give(greeting));
                }
            } else if let Some(event) = self.progress.page.pop_front() {
                self.progress.last = event.seq;
                return Ok(self.give((&*event.body).into()));
            } else if self.progress.last < self.progress.known {
                Box::pin(self.fetch()).await?;
            } else {
                match self.outbound.take(self.progress.last) {
                    Next::Event(event) => {
                        self.progress.last = event.seq;
                        self.progress.known = event.seq;
                        return Ok(self.give(event.body.as_str().into()));
                    }
                    Next::Hole { up_to } => self.progress.known = up_to,
                    Next::Nothing if self.outbound.is_sink_lost() => self.lost(),
                    Next::Nothing => self.wait().await,
                }
            }
        }
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
            _ => (self.progress.failures + 1).min(self.limits.subscribe_retries),
        };
    }

    /// Subscribes, and greets a client that was not greeted yet.
    async fn subscribe(&mut self) -> Result<Option<ByteString>, CloseCode> {
        let snapshot = self.reach().await?;
        self.progress.subscribed_at = Some(Instant::now());
        if self.progress.greeted {
            if snapshot.seq < self.progress.last {
                // Committed events are gone, so the database is another one by now. The client comes back
                // with an epoch and a position that tell, and gets a new snapshot.
                tracing::warn!(
                    seq = snapshot.seq,
                    last = self.progress.last,
                    "a player's events went back"
                );
                return Err(CloseCode::Internal);
            }
            self.progress.known = self.progress.known.max(snapshot.seq);
            return Ok(None);
        }
        let resume = self.resume.take();
        let recovered = match &resume {
            None => None,
            Some(resume) => Some(self.recover(resume, snapshot.seq).await?),
        };
        if let Some(recovered) = recovered {
            metrics::counter!(
                "pitboss_session_resumes_total",
                "environment" => self.environment,
                "recovered" => if recovered { "true" } else { "false" }
            )
            .increment(1);
        }
        self.progress.greeted = true;
        self.progress.known = snapshot.seq;
        if recovered == Some(true) {
            return Ok(Some(message::resumed(snapshot.seq, self.incarnation)));
        }
        self.progress.last = snapshot.seq;
        Ok(Some(message::snapshot(
            &snapshot,
            self.incarnation,
            recovered,
        )))
    }

    /// Whether all events after the client's position can be given. Never a part: if not, none.
    async fn recover(&mut self, resume: &Resume, seq: i64) -> Result<bool, CloseCode> {
        let same_epoch = resume.epoch.as_ref().is_none_or(|epoch| {
            Uuid::try_parse(epoch).is_ok_and(|epoch| epoch == self.incarnation)
        });
        let missed = seq.saturating_sub(resume.after);
        if !same_epoch || resume.after < 0 || missed < 0 || missed > self.limits.resume_max {
            return Ok(false);
        }
        if missed > 0 {
            // Events are kept from some moment on: if the first is still there, all are.
            let page = self.read(resume.after, seq).await?;
            if page.front().map(|event| event.seq) != Some(resume.after + 1) {
                return Ok(false);
            }
            self.progress.page = page;
        }
        self.progress.last = resume.after;
        Ok(true)
    }

    /// Subscribes; tries again, with pauses, before it gives up.
    async fn reach(&mut self) -> Result<Snapshot, CloseCode> {
        loop {
            if self.progress.failures > self.limits.subscribe_retries {
                return Err(CloseCode::Internal);
            }
            if self.progress.failures > 0 {
                let pause = FIRST_PAUSE * (1 << self.progress.failures.min(6));
                self.or_close(tokio::time::sleep(pause)).await?;
            }
            let source = self.source.clone();
            let player = self.player.clone();
            let sink = self.outbound.sink();
            let subscribing = async move { source.subscribe(&player, sink).await };
            match self.in_time(subscribing).await? {
                Ok(snapshot) => return Ok(snapshot),
                Err(error) => {
                    tracing::warn!(%error, "a session could not subscribe to its player");
                    self.progress.failures += 1;
                }
            }
        }
    }

    /// Reads the next page of what is known to be in the ledger and was not given out.
    async fn fetch(&mut self) -> Result<(), CloseCode> {
        let page = self.read(self.progress.last, self.progress.known).await?;
        let gapless = page
            .iter()
            .zip(self.progress.last + 1..)
            .all(|(event, seq)| event.seq == seq);
        if page.is_empty() || !gapless {
            tracing::warn!(
                after = self.progress.last,
                up_to = self.progress.known,
                "the ledger does not have all events of a player"
            );
            return Err(CloseCode::Internal);
        }
        self.progress.page = page;
        Ok(())
    }

    async fn read(&self, after: i64, up_to: i64) -> Result<VecDeque<PlayerEvent>, CloseCode> {
        let reading = self
            .ledger
            .events(&self.player, after, up_to, self.limits.replay_page);
        match self.in_time(reading).await? {
            Ok(page) => Ok(page.into()),
            Err(error) => {
                tracing::warn!(%error, "a session could not read its player's events");
                Err(CloseCode::Internal)
            }
        }
    }

    /// With a deadline, whose passing is an error like the port's own.
    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, PortError>>,
    ) -> Result<Result<T, PortError>, CloseCode> {
        let timed = tokio::time::timeout(self.limits.port_timeout, work);
        Ok(self
            .or_close(timed)
            .await?
            .unwrap_or_else(|_| Err(PortError("no answer in time".to_owned()))))
    }

    /// Gives up as soon as the session is to close.
    async fn or_close<T>(&self, work: impl Future<Output = T>) -> Result<T, CloseCode> {
        let mut work = std::pin::pin!(work);
        poll_fn(|cx| match self.outbound.poll_close(cx) {
            Poll::Ready(code) => Poll::Ready(Err(code)),
            Poll::Pending => work.as_mut().poll(cx).map(Ok),
        })
        .await
    }

    /// Waits for something to do, or for the next check of the timers.
    async fn wait(&mut self) {
        self.progress.given_bytes = 0;
        let Self {
            outbound, progress, ..
        } = self;
        progress.timer.as_mut().reset(progress.next_check);
        poll_fn(|cx| {
            if outbound.poll_ready(cx).is_ready() {
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
        if lifetime.is_some_and(|left| left.is_zero()) {
            return Err(CloseCode::SessionExpired);
        }
        let patience = self
            .limits
            .idle_timeout
            .saturating_sub(self.outbound.silence());
        if patience.is_zero() {
            return Err(CloseCode::Idle);
        }
        let ping = now >= self.progress.next_ping;
        if ping {
            self.progress.next_ping = now + self.limits.heartbeat;
        }
        let next = (self.progress.next_ping - now)
            .min(patience)
            .min(lifetime.unwrap_or(Duration::MAX));
        self.progress.next_check = now + next;
        Ok(ping)
    }

    /// What is left of the player's session, by the wall clock.
    fn lifetime(&self) -> Option<Duration> {
        self.expires_at.map(|end| {
            let micros = end.as_micros().saturating_sub(self.clock.now().as_micros());
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        })
    }
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
mod tests {
    use std::task::{Context, Waker};

    use async_trait::async_trait;
    use pitboss_wallet::{Event, EventType, Fact, Facts, PlayerState};

    use super::*;
    use crate::{ports::Writer, stream::EventSink};

    /// A player whose newest events are pushed as soon as somebody subscribes.
    struct Busy(Vec<Arc<Event>>);

    #[async_trait]
    impl StreamSource for Busy {
        async fn subscribe(
            &self,
            _: &PlayerId,
            sink: Arc<dyn EventSink>,
        ) -> Result<Snapshot, PortError> {
            let _ = sink.push(&self.0);
            std::mem::forget(sink);
            Ok(Snapshot {
                seq: 0,
                wallets: Vec::new(),
                open_rounds: Vec::new(),
            })
        }
    }

    #[async_trait]
    impl Ledger for Busy {
        async fn load(&self, _: &PlayerId) -> Result<Option<PlayerState>, PortError> {
            Ok(None)
        }
        async fn find(&self, _: &PlayerId, _: &[Fact]) -> Result<Facts, PortError> {
            Err(PortError("not asked for".to_owned()))
        }
        async fn events(
            &self,
            _: &PlayerId,
            _: i64,
            _: i64,
            _: usize,
        ) -> Result<Vec<PlayerEvent>, PortError> {
            Ok(Vec::new())
        }
        async fn writer(&self) -> Result<Box<dyn Writer>, PortError> {
            Err(PortError("not asked for".to_owned()))
        }
    }

    impl Clock for Busy {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(0)
        }
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

    /// The connection asks again only after it has written: what one go gives is all that it must hold.
    #[tokio::test]
    async fn one_go_gives_a_bounded_number_of_bytes_however_much_waits() {
        const EVENT_BYTES: usize = 10_000;
        let busy = Arc::new(Busy((1..=50).map(|seq| event(seq, EVENT_BYTES)).collect()));
        let limits = StreamLimits {
            max_queued_bytes: 1 << 20,
            ..StreamLimits::default()
        };
        let feed = Feed {
            outbound: Arc::new(Outbound::new(limits.max_queued_bytes, Arc::default())),
            player: PlayerId::new("anna").unwrap(),
            environment: "sandbox",
            incarnation: Uuid::nil(),
            expires_at: None,
            limits,
            source: busy.clone(),
            ledger: busy.clone(),
            clock: busy,
            resume: None,
            progress: Progress::new(&limits),
        };
        let mut stream = Box::pin(Box::new(feed).into_stream());
        let mut cx = Context::from_waker(Waker::noop());
        let mut texts = 0;
        let mut goes = 0;
        while texts < 51 {
            goes += 1;
            assert!(goes < 100);
            let mut bytes = 0;
            while let Poll::Ready(Some(Out::Text(text))) = stream.as_mut().poll_next(&mut cx) {
                bytes += text.len();
                texts += 1;
            }
            assert!(bytes < QUANTUM_BYTES + EVENT_BYTES, "{bytes}");
        }
    }
}
