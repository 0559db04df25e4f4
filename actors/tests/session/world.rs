//! A player and his ledger that do as they are told, a server for his sessions, and clients.

use std::{
    future::Future,
    net::SocketAddr,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{App, HttpRequest, HttpServer, dev::ServerHandle, web};
use async_trait::async_trait;
use futures_util::{SinkExt, StreamExt};
use pitboss_actors::{
    ports::{Clock, Ledger, PlayerEvent, PortError, Writer},
    session::{SUBPROTOCOL, SessionLimits, SessionSetup, Sessions, StreamLimits},
    stream::{EventSink, SinkState, Snapshot, StreamSource},
};
use pitboss_wallet::{
    BalanceView, Currency, Environment, Event, EventType, Fact, Facts, Money, PlayerId,
    PlayerState, Timestamp, WalletView,
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message, client::IntoClientRequest},
};
use uuid::Uuid;

pub const INCARNATION: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

/// The beginning of time, as this world's clock has it.
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Nothing in these tests takes longer than this.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The player's actor, his ledger and the clock, all in one.
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
    pub subscriptions: AtomicUsize,
    pub clock_offset_us: AtomicI64,
}

#[derive(Default)]
struct State {
    seq: i64,
    /// The events of the ledger, from the first that is kept.
    kept: Vec<PlayerEvent>,
    sinks: Vec<Arc<dyn EventSink>>,
    refused_subscriptions: usize,
    unanswered_subscriptions: usize,
    ledger_is_down: bool,
}

pub fn event(seq: i64, padding_bytes: usize) -> Arc<Event> {
    let body = format!(
        r#"{{"type":"wallet.bet_debited","seq":{seq},"padding":"{}"}}"#,
        "x".repeat(padding_bytes)
    );
    Arc::new(Event {
        id: Uuid::from_u128(seq as u128),
        kind: EventType::BetDebited,
        seq,
        at: Timestamp::from_micros(0),
        body,
    })
}

impl World {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// Commits the next event, as another server would: nobody here is told.
    pub fn commit(&self) -> i64 {
        self.next(0, false)
    }

    /// Commits the next event and pushes it, as the player's actor does.
    pub fn emit(&self) -> i64 {
        self.next(0, true)
    }

    fn next(&self, padding_bytes: usize, push: bool) -> i64 {
        let mut state = self.state.lock().unwrap();
        state.seq += 1;
        let event = event(state.seq, padding_bytes);
        let seq = event.seq;
        state.kept.push(PlayerEvent {
            seq,
            body: event.body.as_str().into(),
        });
        if push {
            let events = [event];
            state
                .sinks
                .retain(|sink| sink.push(&events) == SinkState::Open);
        }
        seq
    }

    /// Pushes the next event without keeping it: for memory to be measured.
    pub fn emit_and_forget(&self, padding_bytes: usize) {
        let mut state = self.state.lock().unwrap();
        state.seq += 1;
        let events = [event(state.seq, padding_bytes)];
        state
            .sinks
            .retain(|sink| sink.push(&events) == SinkState::Open);
    }

    /// The player's actor ends.
    pub fn end_actor(&self) {
        let sinks = std::mem::take(&mut self.state.lock().unwrap().sinks);
        drop(sinks);
    }

    pub fn sinks(&self) -> usize {
        self.state.lock().unwrap().sinks.len()
    }

    pub fn refuse_subscriptions(&self, count: usize) {
        self.state.lock().unwrap().refused_subscriptions = count;
    }

    /// The next ones register their sink, and never answer.
    pub fn leave_subscriptions_unanswered(&self, count: usize) {
        self.state.lock().unwrap().unanswered_subscriptions = count;
    }

    pub fn set_ledger_down(&self, down: bool) {
        self.state.lock().unwrap().ledger_is_down = down;
    }

    /// Forgets the oldest events.
    pub fn keep_after(&self, seq: i64) {
        self.state
            .lock()
            .unwrap()
            .kept
            .retain(|event| event.seq > seq);
    }
}

#[async_trait]
impl StreamSource for World {
    async fn subscribe(
        &self,
        _player: &PlayerId,
        sink: Arc<dyn EventSink>,
    ) -> Result<Snapshot, PortError> {
        // So that registration and answer are not one moment for the session.
        tokio::task::yield_now().await;
        self.subscriptions.fetch_add(1, Ordering::SeqCst);
        let snapshot = {
            let mut state = self.state.lock().unwrap();
            if state.refused_subscriptions > 0 {
                state.refused_subscriptions -= 1;
                return Err(PortError("no".to_owned()));
            }
            state.sinks.push(sink);
            let unanswered = state.unanswered_subscriptions > 0;
            state.unanswered_subscriptions -= usize::from(unanswered);
            (!unanswered).then(|| snapshot(state.seq))
        };
        let Some(snapshot) = snapshot else {
            return std::future::pending().await;
        };
        tokio::task::yield_now().await;
        Ok(snapshot)
    }
}

fn snapshot(seq: i64) -> Snapshot {
    let currency = Currency::from_code("EUR").unwrap();
    let money = |units| Money::new(units, currency);
    Snapshot {
        seq,
        wallets: vec![WalletView {
            balance: BalanceView {
                currency,
                cash: money(12_500_000),
                bonus: money(0),
                total: money(12_500_000),
            },
            held_in_rounds: money(0),
            owed: money(0),
        }],
        open_rounds: Vec::new(),
    }
}

#[async_trait]
impl Ledger for World {
    async fn load(&self, _: &PlayerId) -> Result<Option<PlayerState>, PortError> {
        Err(PortError("not asked for".to_owned()))
    }

    async fn find(&self, _: &PlayerId, _: &[Fact]) -> Result<Facts, PortError> {
        Err(PortError("not asked for".to_owned()))
    }

    async fn writer(&self) -> Result<Box<dyn Writer>, PortError> {
        Err(PortError("not asked for".to_owned()))
    }

    async fn events(
        &self,
        _: &PlayerId,
        after: i64,
        up_to: i64,
        limit: usize,
    ) -> Result<Vec<PlayerEvent>, PortError> {
        tokio::task::yield_now().await;
        let state = self.state.lock().unwrap();
        if state.ledger_is_down {
            return Err(PortError("down".to_owned()));
        }
        let wanted = state
            .kept
            .iter()
            .filter(|event| event.seq > after && event.seq <= up_to);
        Ok(wanted.take(limit).cloned().collect())
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        let now = STARTED.elapsed().as_micros();
        let offset = self.clock_offset_us.load(Ordering::SeqCst);
        Timestamp::from_micros(i64::try_from(now).unwrap() + offset)
    }
}

/// How a server of these tests is set up.
#[derive(Clone, Copy)]
pub struct Options {
    pub limits: StreamLimits,
    pub sessions: SessionLimits,
    pub lifetime: Option<Duration>,
    /// The kernel's send buffer for a connection, and how long it may stay full.
    pub jam: Option<(usize, Duration)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            limits: StreamLimits::default(),
            sessions: SessionLimits {
                max_sessions: 100,
                max_sessions_per_player: 10,
            },
            lifetime: None,
            jam: None,
        }
    }
}

/// A real server on loopback; stopped when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub world: Arc<World>,
    pub sessions: Arc<Sessions>,
    handle: ServerHandle,
}

#[derive(serde::Deserialize)]
struct Query {
    after: Option<i64>,
    epoch: Option<String>,
    player: Option<String>,
}

pub fn serve(options: Options) -> Server {
    let world = World::new();
    let sessions = Sessions::new(options.sessions);
    let (app_world, app_sessions) = (world.clone(), sessions.clone());
    let server = HttpServer::new(move || {
        let (world, sessions) = (app_world.clone(), app_sessions.clone());
        App::new().route(
            "/v1/stream",
            web::get().to(
                move |request: HttpRequest, payload: web::Payload, query: web::Query<Query>| {
                    let expires_at = options.lifetime.map(|lifetime| {
                        let micros = i64::try_from(lifetime.as_micros()).unwrap();
                        Timestamp::from_micros(world.now().as_micros() + micros)
                    });
                    let query = query.into_inner();
                    let setup = SessionSetup {
                        player: PlayerId::new(query.player.unwrap_or("anna".to_owned())).unwrap(),
                        environment: Environment::Sandbox,
                        expires_at,
                        after: query.after,
                        epoch_of_client: query.epoch,
                        incarnation: INCARNATION,
                        limits: options.limits,
                        source: world.clone(),
                        ledger: world.clone(),
                        clock: world.clone(),
                        sessions: sessions.clone(),
                    };
                    std::future::ready(pitboss_actors::session::start(&request, payload, setup))
                },
            ),
        )
    })
    .workers(1)
    .shutdown_timeout(0)
    .disable_signals()
    .on_connect(move |connection, _| {
        let stream = connection.downcast_ref::<TcpStream>().unwrap();
        let socket = socket2::SockRef::from(stream);
        if let Some((send_buffer_bytes, patience)) = options.jam {
            socket.set_send_buffer_size(send_buffer_bytes).unwrap();
            socket.set_tcp_user_timeout(Some(patience)).unwrap();
        }
    })
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = server.addrs()[0];
    let running = server.run();
    let handle = running.handle();
    actix_web::rt::spawn(running);
    Server {
        address,
        world,
        sessions,
        handle,
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

impl Server {
    pub async fn client(&self, query: &str) -> Client {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.client_over(stream, query).await
    }

    pub async fn client_over(&self, stream: TcpStream, query: &str) -> Client {
        let mut request = format!("ws://{}/v1/stream{query}", self.address)
            .into_client_request()
            .unwrap();
        let offered = format!("{SUBPROTOCOL}, some-token");
        request
            .headers_mut()
            .insert("sec-websocket-protocol", offered.parse().unwrap());
        let connecting = tokio_tungstenite::client_async(request, stream);
        let (socket, response) = in_time(connecting).await.unwrap();
        assert_eq!(response.headers()["sec-websocket-protocol"], SUBPROTOCOL);
        Client(socket)
    }

    pub async fn wait_until_empty(&self) {
        eventually(|| self.sessions.total() == 0).await;
    }
}

pub async fn in_time<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, work)
        .await
        .expect("this should not take so long")
}

pub async fn eventually(mut is_so: impl FnMut() -> bool) {
    in_time(async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

pub struct Client(pub WebSocketStream<TcpStream>);

impl Client {
    /// The next frame of any kind.
    pub async fn frame(&mut self) -> Message {
        in_time(self.0.next())
            .await
            .expect("the connection ended")
            .unwrap()
    }

    /// The next text message.
    pub async fn text(&mut self) -> Value {
        loop {
            match self.frame().await {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) | Message::Pong(_) => {}
                other => panic!("not a text: {other:?}"),
            }
        }
    }

    /// Reads on until the server closes; the code and reason.
    pub async fn closed(&mut self) -> (u16, String) {
        loop {
            if let Message::Close(frame) = self.frame().await {
                let frame = frame.expect("a code");
                return (frame.code.into(), frame.reason.to_string());
            }
        }
    }

    pub async fn send(&mut self, message: impl Into<Message>) {
        in_time(self.0.send(message.into())).await.unwrap();
    }

    /// Reads events, which must be exactly these.
    pub async fn expect_events(&mut self, seqs: std::ops::RangeInclusive<i64>) {
        for seq in seqs {
            let message = self.text().await;
            assert_eq!(message["type"], "wallet.bet_debited", "{message}");
            assert_eq!(message["seq"], seq);
        }
    }

    pub async fn expect_snapshot(&mut self, seq: i64) -> Value {
        let message = self.text().await;
        assert_eq!(message["type"], "snapshot", "{message}");
        assert_eq!(message["seq"], seq);
        message
    }
}
