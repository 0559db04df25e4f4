//! Watches a connection between two requests, where actix does not.
//!
//! actix times the head of a connection's first request, and a connection on which nothing at all comes. A client that
//! has had one answer may send the next head, or the rest of a body that nobody reads any more, a byte at a time
//! and stay for ever; or take its answers a byte at a time. One rule ends all of them: between two requests a
//! connection has so long, and is then shut down. The time of a request itself is bounded by its body's and
//! its player's limits, that of a WebSocket by its session.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    net::Shutdown,
    rc::{Rc, Weak},
    time::Duration,
};

use actix_web::{
    Error, HttpResponse, ResponseError,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::StatusCode,
    rt::net::TcpStream,
};
use pitboss_providers::Code;
use socket2::{SockRef, Socket};
use tokio::{task::JoinHandle, time::Instant};

use crate::http::ApiError;

/// One connection of a client, for as long as it is open.
pub struct Connection {
    /// A second handle of the socket: actix gives its own to nobody. Gone when a WebSocket has taken over.
    socket: RefCell<Option<Socket>>,
    /// The requests that are being carried out: more than one over HTTP/2.
    under_way: Cell<usize>,
    /// The end of the last request; counts while none is under way.
    quiet_since: Cell<Instant>,
    limits: Limits,
    watch: JoinHandle<()>,
}

/// What one connection may do.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub between_requests: Duration,
    pub requests_max: usize,
}

impl Connection {
    /// Watches a connection that has just been accepted. To be called on the thread that serves it.
    ///
    /// # Errors
    /// There is no second handle to be had.
    pub fn watch(stream: &TcpStream, limits: Limits) -> io::Result<Rc<Self>> {
        let socket = SockRef::from(stream).try_clone()?;
        metrics::gauge!("pitboss_http_connections").increment(1);
        Ok(Rc::new_cyclic(|connection| Self {
            socket: RefCell::new(Some(socket)),
            under_way: Cell::new(0),
            quiet_since: Cell::new(Instant::now()),
            limits,
            watch: actix_web::rt::spawn(watch(connection.clone(), limits.between_requests)),
        }))
    }

    fn shut_down(&self) {
        if let Some(socket) = self.socket.take() {
            metrics::counter!("pitboss_http_too_slow_total", "part" => "connection").increment(1);
            // It may be gone already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.watch.abort();
        metrics::gauge!("pitboss_http_connections").decrement(1);
    }
}

async fn watch(connection: Weak<Connection>, between_requests: Duration) {
    let mut look_at = Instant::now() + between_requests;
    loop {
        tokio::time::sleep_until(look_at).await;
        let Some(connection) = connection.upgrade() else {
            return;
        };
        let now = Instant::now();
        let is_quiet = connection.under_way.get() == 0;
        let since = if is_quiet {
            connection.quiet_since.get()
        } else {
            now
        };
        look_at = since + between_requests;
        if look_at <= now {
            return connection.shut_down();
        }
    }
}

/// A request that is under way, until it is answered or given up.
struct UnderWay(Rc<Connection>);

impl UnderWay {
    fn begin(connection: &Rc<Connection>) -> Self {
        connection.under_way.update(|count| count + 1);
        Self(connection.clone())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.under_way.update(|count| count.saturating_sub(1));
        self.0.quiet_since.set(Instant::now());
    }
}

/// Carries a request out, and notes its beginning and its end on its connection.
pub fn during<S>(
    request: ServiceRequest,
    service: &S,
) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
{
    let connection = request.conn_data::<Rc<Connection>>().cloned();
    let under_way = connection.as_ref().map(UnderWay::begin);
    let is_too_many = connection.is_some_and(|own| own.under_way.get() > own.limits.requests_max);
    let carrying_out = if is_too_many {
        Err(request)
    } else {
        Ok(service.call(request))
    };
    async move {
        let response = match carrying_out {
            Ok(carrying_out) => carrying_out.await,
            Err(request) => return Ok(request.into_response(too_many())),
        };
        if let Some(UnderWay(connection)) = &under_way {
            let is_upgraded =
                |response: &ServiceResponse| response.status() == StatusCode::SWITCHING_PROTOCOLS;
            if response.as_ref().is_ok_and(is_upgraded) {
                connection.watch.abort();
                connection.socket.take();
            }
        }
        response
    }
}

fn too_many() -> HttpResponse {
    metrics::counter!("pitboss_http_connection_full_total").increment(1);
    let detail = "as many requests are under way on this connection as one may have";
    ApiError::new(Code::Busy, detail).error_response()
}
