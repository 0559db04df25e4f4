//! How much one go gives.

use std::task::{Context, Waker};

use async_trait::async_trait;
use pitboss_wallet::{Environment, Event, Fact, Facts, PlayerState, Timestamp};
use uuid::Uuid;

use super::*;
use crate::{
    ports::{Clock, Ledger, PortError, Writer},
    session::{SessionLimits, Sessions, outbound::tests::open},
    stream::{EventSink, Snapshot, StreamSource},
};

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
    let sessions = Sessions::new(SessionLimits {
        max_sessions: 1,
        max_sessions_per_player: 1,
    });
    let feed = Feed {
        outbound: Arc::new(open(limits.max_queued_bytes, Arc::default())),
        player: PlayerId::new("anna").unwrap(),
        ports: Arc::new(StreamPorts {
            environment: Environment::Sandbox,
            incarnation: Uuid::nil(),
            limits,
            source: busy.clone(),
            ledger: busy.clone(),
            clock: busy,
            sessions,
        }),
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
        // The player is reached in a task of its own.
        tokio::task::yield_now().await;
    }
}
