//! How much one go gives, and what a resume in the midst of one does.

use std::task::{Context, Waker};

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use pitboss_wallet::{Environment, Event, Fact, Facts, PlayerState, Timestamp};
use uuid::Uuid;

use super::*;
use crate::{
    ports::{Clock, Ledger, PortError, Writer},
    session::{SessionLimits, Sessions, outbound::tests::open},
    stream::{EventSink, Snapshot, StreamSource},
};

/// A player whose newest events are pushed as soon as somebody subscribes, and the ledger of the earlier ones.
struct Busy {
    pushed: Vec<Arc<Event>>,
    stored: i64,
}

#[async_trait]
impl StreamSource for Busy {
    async fn subscribe(
        &self,
        _: &PlayerId,
        sink: Arc<dyn EventSink>,
    ) -> Result<Snapshot, PortError> {
        let _ = sink.push(&self.pushed);
        std::mem::forget(sink);
        Ok(Snapshot {
            seq: self.stored,
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
        after: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<PlayerEvent>, PortError> {
        let event = |seq| PlayerEvent {
            seq,
            body: format!(r#"{{"event":{seq}}}"#).into(),
        };
        Ok((after + 1..=up_to).take(limit).map(event).collect())
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

fn feed_of(busy: Busy, resume: Option<Box<Resume>>) -> Box<Feed> {
    let busy = Arc::new(busy);
    let limits = StreamLimits {
        max_queued_bytes: 1 << 20,
        ..StreamLimits::default()
    };
    let sessions = Sessions::new(SessionLimits {
        max_sessions: 1,
        max_sessions_per_player: 1,
    });
    Box::new(Feed {
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
        resume,
        progress: Progress::new(&limits),
    })
}

fn resume(after: i64) -> Resume {
    Resume {
        after,
        epoch: None,
        id: None,
    }
}

/// The connection asks again only after it has written: what one go gives is all that it must hold.
#[tokio::test]
async fn one_go_gives_a_bounded_number_of_bytes_however_much_waits() {
    const EVENT_BYTES: usize = 10_000;
    let busy = Busy {
        pushed: (1..=50).map(|seq| event(seq, EVENT_BYTES)).collect(),
        stored: 0,
    };
    let mut stream = Box::pin(feed_of(busy, None).into_stream());
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

async fn text(stream: &mut (impl Stream<Item = Out> + Unpin)) -> String {
    match stream.next().await {
        Some(Out::Text(text)) => text.to_string(),
        other => panic!("{other:?}"),
    }
}

/// What a replay had read ahead is not given after a new beginning.
#[tokio::test]
async fn a_resume_in_the_midst_of_a_replay_begins_anew() {
    let busy = Busy {
        pushed: Vec::new(),
        stored: 10,
    };
    let feed = feed_of(busy, Some(Box::new(resume(0))));
    let outbound = feed.outbound.clone();
    let mut stream = Box::pin(feed.into_stream());
    assert!(text(&mut stream).await.contains("resumed"));
    assert_eq!(text(&mut stream).await, r#"{"event":1}"#);
    outbound.ask_to_resume(resume(99)).unwrap();
    assert!(text(&mut stream).await.contains(r#""recovered":false"#));
    assert!(stream.next().now_or_never().is_none());
    outbound.ask_to_resume(resume(8)).unwrap();
    assert!(text(&mut stream).await.contains(r#""recovered":true"#));
    for seq in 9..=10 {
        assert_eq!(text(&mut stream).await, format!(r#"{{"event":{seq}}}"#));
    }
    assert_eq!(outbound.passed(), Some(10));
}
