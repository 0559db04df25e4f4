//! One player's client: opens a stream, answers pings, and notes when each event comes.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use serde::Deserialize;
use time::OffsetDateTime;
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use crate::{
    clock::unix_us,
    error::{Error, Result},
    stats::Recorder,
};

const GREETING_LIMIT: Duration = Duration::from_secs(20);

pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// What the clients of a run saw together.
pub struct Seen {
    /// From an event's own time, which is taken before its commit, to its arrival here.
    pub delivery: RefCell<Recorder>,
    pub events: Cell<u64>,
    /// Events that did not follow the one before, and connections that ended.
    pub gaps: Cell<u64>,
    pub lost: Cell<u64>,
}

impl Seen {
    pub fn new() -> Result<Self> {
        Ok(Self {
            delivery: RefCell::new(Recorder::new()?),
            events: Default::default(),
            gaps: Default::default(),
            lost: Default::default(),
        })
    }
}

#[derive(Deserialize)]
struct Envelope {
    seq: i64,
    /// Events have one, greetings do not.
    #[serde(default, with = "time::serde::rfc3339::option")]
    time: Option<OffsetDateTime>,
}

/// Opens a stream, and returns it with the `seq` that its greeting told.
pub async fn open(stream: &str, token: &str, after: Option<i64>) -> Result<(Socket, i64)> {
    let failed = |what: &str| Error::given(format!("opening a stream: {what}"));
    let query = after.map_or_else(String::new, |after| format!("?after={after}"));
    let mut request = format!("{stream}{query}")
        .into_client_request()
        .map_err(|error| failed(&error.to_string()))?;
    let bearer = format!("Bearer {token}").parse();
    let bearer = bearer.map_err(|_| failed("the token cannot be sent"))?;
    request.headers_mut().insert("authorization", bearer);
    let greeted = async {
        let (mut socket, _) = connect_async(request)
            .await
            .map_err(|error| failed(&error.to_string()))?;
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let envelope: Envelope = serde_json::from_str(&text)
                        .map_err(|error| failed(&format!("{error}: {text}")))?;
                    // A resumed client goes on from where it was: what it missed follows.
                    return Ok((socket, after.unwrap_or(envelope.seq)));
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(failed(&error.to_string())),
                None => return Err(failed("closed before the greeting")),
            }
        }
    };
    timeout(GREETING_LIMIT, greeted)
        .await
        .unwrap_or_else(|_| Err(failed("no greeting in time")))
}

/// Reads until the connection ends or the task is aborted. `last` follows the newest `seq`.
pub async fn read(mut socket: Socket, last: Rc<Cell<i64>>, seen: Rc<Seen>) {
    while let Some(Ok(message)) = socket.next().await {
        match message {
            Message::Text(text) => note(&text, &last, &seen),
            // The library answers a ping when something is sent or flushed.
            Message::Ping(_) if socket.flush().await.is_err() => break,
            _ => {}
        }
    }
    seen.lost.set(seen.lost.get() + 1);
}

fn note(text: &str, last: &Cell<i64>, seen: &Seen) {
    let Ok(Envelope {
        seq,
        time: Some(time),
    }) = serde_json::from_str(text)
    else {
        return seen.gaps.set(seen.gaps.get() + 1);
    };
    if seq != last.get() + 1 {
        seen.gaps.set(seen.gaps.get() + 1);
    }
    last.set(seq);
    seen.events.set(seen.events.get() + 1);
    let then_us = u64::try_from(time.unix_timestamp_nanos() / 1_000).unwrap_or(0);
    let took_us = unix_us().saturating_sub(then_us);
    seen.delivery
        .borrow_mut()
        .record(Duration::from_micros(took_us));
}
