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
    Error,
    dev::{Service, ServiceRequest, ServiceResponse},
    http::StatusCode,
    rt::net::TcpStream,
};
use socket2::{SockRef, Socket};
use tokio::{task::JoinHandle, time::Instant};

/// One connection of a client, for as long as it is open.
pub struct Connection {
    /// A second handle of the socket: actix gives its own to nobody. Gone when a WebSocket has taken over.
    socket: RefCell<Option<Socket>>,
    /// The end of the last request; `None` while one is under way.
    quiet_since: Cell<Option<Instant>>,
    watch: JoinHandle<()>,
}

impl Connection {
    /// Watches a connection that has just been accepted. To be called on the thread that serves it.
    ///
    /// # Errors
    /// There is no second handle to be had.
    pub fn watch(stream: &TcpStream, between_requests: Duration) -> io::Result<Rc<Self>> {
        let socket = SockRef::from(stream).try_clone()?;
        metrics::gauge!("pitboss_http_connections").increment(1);
        Ok(Rc::new_cyclic(|connection| Self {
            socket: RefCell::new(Some(socket)),
            quiet_since: Cell::new(Some(Instant::now())),
            watch: actix_web::rt::spawn(watch(connection.clone(), between_requests)),
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
        look_at = connection.quiet_since.get().unwrap_or(now) + between_requests;
        if look_at <= now {
            return connection.shut_down();
        }
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
    if let Some(connection) = &connection {
        connection.quiet_since.set(None);
    }
    let carrying_out = service.call(request);
    async move {
        let response = carrying_out.await;
        if let Some(connection) = connection {
            connection.quiet_since.set(Some(Instant::now()));
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
