//! A player and his ledger that do as they are told, and a server for his sessions.

use std::{
    net::SocketAddr,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{
    App, HttpRequest, HttpServer,
    dev::{ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse},
    web,
};
use async_trait::async_trait;
use pitboss_actors::{
    ports::{Clock, Ledger, PlayerEvent, PortError, Writer},
    session::{
        SUBPROTOCOL, SessionLimits, SessionSetup, Sessions, StreamLimits, StreamPorts, Topics,
    },
    stream::{Desk, EventSink, Launched, Login, Refused, SinkState, Snapshot, StreamSource},
};
use pitboss_wallet::{
    Currency, Environment, Event, EventType, Fact, Facts, Money, PlayerId, PlayerState, SessionId,
    Timestamp, WalletView,
};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use uuid::Uuid;

pub use crate::client::{Client, eventually, in_time};

pub const INCARNATION: Uuid = Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001);

/// The beginning of time, as this world's clock has it.
static STARTED: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The player's actor, his ledger and the clock, all in one.
#[derive(Default)]
pub struct World {
    state: Mutex<State>,
    pub subscriptions: AtomicUsize,
    pub clock_offset_us: AtomicI64,
    /// Launches that were begun, and whether they end.
    pub launches: AtomicUsize,
    pub launch: tokio::sync::Notify,
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
    of_type(seq, EventType::BetDebited, padding_bytes)
}

/// An event with the balance of `seq` euros after it, if it is one of the wallet.
fn of_type(seq: i64, kind: EventType, padding_bytes: usize) -> Arc<Event> {
    let name = kind.as_str();
    let data = if name.starts_with("wallet.") {
        format!(
            r#"{{"balance":{{"currency":"EUR","cash":"{seq}.00","bonus":"0.00","total":"{seq}.00"}}}}"#
        )
    } else {
        r#"{"round":"r"}"#.to_owned()
    };
    let padding = "x".repeat(padding_bytes);
    let body = format!(r#"{{"type":"{name}","seq":{seq},"data":{data},"padding":"{padding}"}}"#);
    Arc::new(Event {
        id: Uuid::from_u128(seq as u128),
        kind,
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
        self.next(EventType::BetDebited, 0, false)
    }

    /// Commits the next event and pushes it, as the player's actor does.
    pub fn emit(&self) -> i64 {
        self.next(EventType::BetDebited, 0, true)
    }

    /// The same with another event than a bet.
    pub fn emit_kind(&self, kind: EventType) -> i64 {
        self.next(kind, 0, true)
    }

    pub fn commit_kind(&self, kind: EventType) -> i64 {
        self.next(kind, 0, false)
    }

    /// Commits so many bets and pushes them in one go, as one decision does.
    pub fn emit_together(&self, count: usize) {
        let mut state = self.state.lock().unwrap();
        let mut events = Vec::new();
        for _ in 0..count {
            state.seq += 1;
            events.push(event(state.seq, 0));
        }
        let kept = events.iter().map(|event| PlayerEvent {
            seq: event.seq,
            body: event.body.as_str().into(),
        });
        state.kept.extend(kept);
        state
            .sinks
            .retain(|sink| sink.push(&events) == SinkState::Open);
    }

    fn next(&self, kind: EventType, padding_bytes: usize, push: bool) -> i64 {
        let mut state = self.state.lock().unwrap();
        state.seq += 1;
        let event = of_type(state.seq, kind, padding_bytes);
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
            currency,
            cash: money(12_500_000),
            bonus: money(0),
            restricted_winnings: money(0),
            total: money(12_500_000),
            withdrawable: money(12_500_000),
            withdrawal_hold: money(0),
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

fn refused(code: &'static str) -> Refused {
    Refused {
        code,
        detail: "as the test wants it".to_owned(),
        retryable: code == "retry",
    }
}

pub fn login(session: u128, expires_at: Timestamp) -> Login {
    Login {
        session: SessionId(Uuid::from_u128(session)),
        currency: Currency::from_code("EUR").unwrap(),
        expires_at,
    }
}

#[async_trait]
impl Desk for World {
    async fn balance(&self, _: &PlayerId) -> Result<Snapshot, Refused> {
        Ok(snapshot(self.state.lock().unwrap().seq))
    }

    /// The game `slow` starts when the test says so, `never` never.
    async fn launch(
        &self,
        player: &PlayerId,
        login: SessionId,
        game: &str,
        currency: Currency,
    ) -> Result<Launched, Refused> {
        self.launches.fetch_add(1, Ordering::SeqCst);
        match game {
            "slow" => self.launch.notified().await,
            "never" => std::future::pending().await,
            "dice" => {}
            _ => return Err(refused("unknown_game")),
        }
        Ok(Launched {
            url: format!("http://x/{game}?for={player}&in={currency}&login={login}"),
            token: "t".to_owned(),
            session: SessionId(Uuid::from_u128(9)),
            expires_at: Timestamp::from_micros(0),
        })
    }

    /// A token is the name of its player and how many seconds it is good for.
    async fn authenticate(&self, token: &str) -> Result<(PlayerId, Login), Refused> {
        if token == "away" {
            return Err(refused("retry"));
        }
        let (player, seconds) = token.split_once(' ').ok_or(refused("unauthorized"))?;
        let expires_at = self.now().plus_seconds(seconds.parse().unwrap());
        Ok((PlayerId::new(player).unwrap(), login(2, expires_at)))
    }

    /// The login of a token that was presented on the socket is over; the first one goes on.
    async fn keep_alive(&self, _: &PlayerId, login: SessionId) -> Result<Timestamp, Refused> {
        match login.0.as_u128() {
            2 => Err(refused("session_expired")),
            _ => Ok(Timestamp::from_micros(60_000_000)),
        }
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
    types: Option<String>,
}

/// What the sessions of a server share.
pub fn setting(options: Options) -> (Arc<World>, Arc<StreamPorts>) {
    let world = World::new();
    let ports = Arc::new(StreamPorts {
        environment: Environment::Sandbox,
        incarnation: INCARNATION,
        limits: options.limits,
        source: world.clone(),
        ledger: world.clone(),
        clock: world.clone(),
        sessions: Sessions::new(options.sessions),
    });
    (world, ports)
}

/// The application; logins live as long as `lifetime`.
pub fn app(
    world: Arc<World>,
    ports: Arc<StreamPorts>,
    lifetime: Option<Duration>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let open = move |request: HttpRequest, payload: web::Payload, query: web::Query<Query>| {
        let lifetime = lifetime.unwrap_or(Duration::from_secs(86_400));
        let micros = i64::try_from(lifetime.as_micros()).unwrap();
        let expires_at = Timestamp::from_micros(world.now().as_micros() + micros);
        let query = query.into_inner();
        let topics = query
            .types
            .as_deref()
            .map(|names| Topics::NONE.with(names.split(',')).unwrap());
        let setup = SessionSetup {
            ports: ports.clone(),
            desk: world.clone(),
            player: PlayerId::new(query.player.unwrap_or("anna".to_owned())).unwrap(),
            login: login(1, expires_at),
            topics: topics.unwrap_or_default(),
            after: query.after,
            epoch_of_client: query.epoch,
        };
        std::future::ready(pitboss_actors::session::start(&request, payload, setup))
    };
    App::new().route("/v1/stream", web::get().to(open))
}

pub fn serve(options: Options) -> Server {
    let (world, ports) = setting(options);
    let sessions = ports.sessions.clone();
    let app_world = world.clone();
    let server = HttpServer::new(move || app(app_world.clone(), ports.clone(), options.lifetime))
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
