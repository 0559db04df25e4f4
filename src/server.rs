//! The server: listens, serves, and stops in the right order.

mod plain;

use std::{
    any::Any,
    future::Future,
    io,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::Arbiter;
use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::{
    App as WebApp, HttpServer,
    dev::{Extensions, ServerHandle},
    middleware::Condition,
    rt::net::TcpStream,
};
use metrics_exporter_prometheus::PrometheusHandle;
use pitboss_wallet::Environment;
use socket2::SockRef;

use crate::{
    app::App,
    config::{Config, ms},
    connection::{self, Connection, Limits},
    http::{self, AdminState, request_id},
    logbook,
    tls::{self, TlsError},
    vault::{Vault, VaultError},
    watch,
    world::{World, WorldError},
};

/// Why a server could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error("{0}")]
    World(#[from] WorldError),
    #[error("security.master_key: {0}")]
    Vault(#[from] VaultError),
    #[error("{0}")]
    Tls(#[from] TlsError),
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every request was answered, every event is on the bus.
    Gracefully,
    /// Time ran out. Nothing is lost: the outbox keeps what the bus has not seen.
    Forced,
}

/// A server that listens.
pub struct Server {
    pub app: Arc<App>,
    api: ServerHandle,
    admin: ServerHandle,
    houses: Vec<tokio::task::JoinHandle<()>>,
    // Held so that the threads on which players live outlast the server.
    _arbiters: Vec<Arbiter>,
}

impl Server {
    /// Starts the enabled environments and serves them on two listeners. To be called inside an actix system.
    ///
    /// # Errors
    /// [`ServerError`]
    pub async fn start(
        config: Arc<Config>,
        api: TcpListener,
        admin: TcpListener,
        metrics: PrometheusHandle,
    ) -> Result<Self, ServerError> {
        let vault = Vault::new(&config.security.master_key)?;
        let arbiters: Vec<Arbiter> = (0..config.player_arbiters())
            .map(|_| Arbiter::new())
            .collect();
        let handles: Vec<_> = arbiters.iter().map(Arbiter::handle).collect();
        let mut worlds = Vec::new();
        let enabled: Vec<Environment> = config
            .enabled()
            .map(|(environment, _)| environment)
            .collect();
        for environment in enabled {
            worlds.push(World::start(environment, config.clone(), vault.clone(), &handles).await?);
        }
        for world in &worlds {
            logbook::open(world)
                .await
                .map_err(|source| WorldError::Store {
                    environment: world.environment,
                    source,
                })?;
        }
        let keep = |world| {
            [
                World::keep_house(world),
                watch::neighbours(world),
                watch::logins(world),
                logbook::keep(world),
            ]
        };
        let houses = worlds.iter().flat_map(keep).collect();
        let app = App::new(config.clone(), worlds);
        let api = serve_api(&app, api)?;
        let admin = serve_admin(
            AdminState {
                app: app.clone(),
                metrics,
            },
            admin,
        )?;
        Ok(Self {
            app,
            api,
            admin,
            houses,
            _arbiters: arbiters,
        })
    }

    /// Stops: unready, refuse new work, close sockets with "reconnect", let players answer, flush the journal,
    /// drain the bridge, the webhooks and the log of callbacks. Each step is bounded by what is left of `server.shutdown_s`.
    pub async fn stop(self) -> Ended {
        let deadline = Instant::now() + Duration::from_secs(self.app.config.server.shutdown_s);
        let left = || deadline.saturating_duration_since(Instant::now());
        tracing::info!("stopping: new work is refused");
        self.app.stop_accepting();
        let window = ms(self.app.config.stream.drain_jitter_ms).min(left() / 2);
        for world in self.app.worlds() {
            let sessions = world.sessions.clone();
            tokio::spawn(async move { sessions.drain(window).await });
            world.feed.close();
        }
        let quiet = || self.app.in_flight() == 0 && journal_depth(&self.app) == 0;
        let answered = until(left() / 2, quiet).await;
        let closed = until(window + left() / 4, || {
            self.app
                .worlds()
                .iter()
                .all(|world| world.sessions.total() == 0)
        })
        .await;
        for house in &self.houses {
            house.abort();
        }
        let drained = {
            let draining = self.app.worlds().iter().map(|world| async {
                let bridge = world.drain_bridge(left() / 2);
                let webhooks = world.webhooks.drain(left() / 2);
                let log = world.callback_log.drain(left() / 2);
                let (bridge, webhooks, _) = tokio::join!(bridge, webhooks, log);
                bridge && webhooks
            });
            futures_util::future::join_all(draining)
                .await
                .into_iter()
                .all(|drained| drained)
        };
        let noted = async {
            for world in self.app.worlds() {
                logbook::close(world, answered && closed && drained).await;
            }
        };
        let _ = tokio::time::timeout(left() / 2, noted).await;
        // The admin listener goes last, so that monitoring sees the stop.
        let _ = tokio::time::timeout(left(), self.api.stop(true)).await;
        self.admin.stop(false).await;
        if answered && closed && drained {
            tracing::info!("stopped gracefully");
            Ended::Gracefully
        } else {
            tracing::warn!(
                answered,
                closed,
                drained,
                "stopped by force; nothing that was acknowledged is lost"
            );
            Ended::Forced
        }
    }
}

fn journal_depth(app: &App) -> usize {
    app.worlds().iter().map(|world| world.journal.depth()).sum()
}

async fn until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + patience;
    while !done() {
        if Instant::now() >= deadline {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    true
}

fn serve_api(app: &Arc<App>, listener: TcpListener) -> Result<ServerHandle, ServerError> {
    let settings = &app.config.server;
    let user_timeout = ms(settings.tcp_user_timeout_ms);
    let keep_alive = Duration::from_secs(settings.keep_alive_s);
    let limits = Limits {
        between_requests: keep_alive + ms(settings.request_timeout_ms),
        requests_max: settings.requests_per_connection_max,
    };
    raise_file_limit();
    // Again, for the standard library asks for 128.
    SockRef::from(&listener).listen(settings.backlog)?;
    let shared = app.clone();
    let service = move || {
        let origins = &shared.config.rest.cors_origins;
        WebApp::new()
            .wrap_fn(connection::during)
            .wrap(Condition::new(!origins.is_empty(), http::cors(origins)))
            .wrap_fn(request_id::carry)
            .configure(http::api(shared.clone()))
    };
    let watch = move |stream: &TcpStream, extensions: &mut Extensions| {
        set_socket_options(stream, user_timeout);
        match Connection::watch(stream, limits) {
            Ok(connection) => drop(extensions.insert(connection)),
            Err(error) => tracing::warn!(%error, "a connection is not watched"),
        }
    };
    let workers = app.config.http_workers();
    let request_timeout = ms(settings.request_timeout_ms);
    if !settings.has_tls() {
        let limits = plain::Limits {
            workers,
            connections_max: settings.connections_max,
            keep_alive,
            request_timeout,
            shutdown_s: settings.shutdown_s,
        };
        return Ok(run(plain::serve(listener, limits, service, watch)?));
    }
    let server = HttpServer::new(service)
        .workers(workers)
        .max_connections(settings.connections_max)
        .keep_alive(keep_alive)
        .client_request_timeout(request_timeout)
        .on_connect(move |stream, extensions| {
            if let Some(stream) = socket(stream) {
                watch(stream, extensions);
            }
        })
        .tls_handshake_timeout(request_timeout)
        .shutdown_timeout(settings.shutdown_s)
        .disable_signals()
        .listen_rustls_0_23(listener, tls::start(settings)?)?;
    Ok(run(server.run()))
}

/// The socket below a connection with TLS.
fn socket(stream: &dyn Any) -> Option<&TcpStream> {
    let encrypted = stream.downcast_ref::<TlsStream<TcpStream>>();
    encrypted.map(|stream| stream.get_ref().0)
}

fn serve_admin(state: AdminState, listener: TcpListener) -> io::Result<ServerHandle> {
    let server = HttpServer::new(move || WebApp::new().configure(http::admin(state.clone())))
        .workers(1)
        .disable_signals()
        .listen(listener)?
        .run();
    Ok(run(server))
}

fn run(server: actix_web::dev::Server) -> ServerHandle {
    let handle = server.handle();
    actix_web::rt::spawn(server);
    handle
}

/// Takes all the open files that the system allows: the usual soft limit of 1024 is for programs that cannot
/// handle more, and each connection needs two.
fn raise_file_limit() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files was not raised");
    }
}

/// A jammed peer (one that does not take our bytes) must not keep its connection: nothing in the process
/// would notice, because nobody polls it.
fn set_socket_options(stream: &TcpStream, user_timeout: Duration) {
    let socket = SockRef::from(stream);
    if let Err(error) = socket
        .set_tcp_user_timeout(Some(user_timeout))
        .and_then(|()| socket.set_tcp_nodelay(true))
    {
        tracing::debug!(%error, "a socket option was not set");
    }
}

/// Completes when the process is asked to stop: SIGTERM or Ctrl-C.
///
/// # Errors
/// Signals cannot be listened to.
pub fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
