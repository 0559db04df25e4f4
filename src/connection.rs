//! Watches a connection between two requests, where actix does not.
//!
//! actix times the head of a connection's first request, and a connection on which nothing at all comes. A client that
//! has had one answer may send the next head, or the rest of a body that nobody reads any more, a byte at a time
//! and stay for ever; or take its answers a byte at a time. One rule ends all of them: between two requests a
//! connection has so long, and is then shut down; and as long to take each piece of an answer that is sent piece by
//! piece. The time of a request itself is bounded by its body's and its player's limits, that of a WebSocket by its
//! session.

use std::{
    cell::{Cell, RefCell},
    future::Future,
    io,
    net::Shutdown,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    Error, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse},
    http::StatusCode,
    rt::net::TcpStream,
    web::Bytes,
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
    /// Gone when a WebSocket has taken over: the handle alone would keep the task's memory.
    watch: Cell<Option<JoinHandle<()>>>,
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
            watch: Cell::new(Some(actix_web::rt::spawn(watch(
                connection.clone(),
                limits.between_requests,
            )))),
        }))
    }

    fn watch_no_more(&self) {
        if let Some(watch) = self.watch.take() {
            watch.abort();
        }
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
        self.watch_no_more();
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
            Ok(carrying_out) => carrying_out.await?,
            Err(request) => return Ok(request.into_response(too_many())),
        };
        let Some(UnderWay(connection)) = &under_way else {
            return Ok(response);
        };
        if response.status() == StatusCode::SWITCHING_PROTOCOLS {
            connection.watch_no_more();
            connection.socket.take();
            return Ok(response);
        }
        if response.response().body().size() != BodySize::Stream {
            return Ok(response);
        }
        Ok(response.map_body(|_, body| BoxBody::new(Pieces::new(connection, body))))
    }
}

/// A body that is sent piece by piece. While it has none, its request is under way; while a piece is being taken, the
/// connection is quiet: a client that takes nothing has as long as one that asks for nothing.
struct Pieces {
    body: BoxBody,
    connection: Rc<Connection>,
    /// There while the body has none.
    under_way: Option<UnderWay>,
}

impl Pieces {
    fn new(connection: &Rc<Connection>, body: BoxBody) -> Self {
        Self {
            body,
            connection: connection.clone(),
            under_way: None,
        }
    }
}

impl MessageBody for Pieces {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.get_mut();
        let under_way = this.under_way.take();
        let under_way = under_way.unwrap_or_else(|| UnderWay::begin(&this.connection));
        let polled = Pin::new(&mut this.body).poll_next(context);
        if polled.is_pending() {
            this.under_way = Some(under_way);
        }
        polled
    }
}

fn too_many() -> HttpResponse {
    metrics::counter!("pitboss_http_connection_full_total").increment(1);
    let detail = "as many requests are under way on this connection as one may have";
    ApiError::new(Code::Busy, detail).error_response()
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, future::poll_fn};

    use actix_web::body::BodyStream;
    use futures_util::stream;
    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;

    /// Both ends of a connection that may be quiet for a moment.
    async fn connected() -> (Rc<Connection>, TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
        let server = accepted.unwrap().0;
        let limits = Limits {
            between_requests: Duration::from_millis(20),
            requests_max: 1,
        };
        (
            Connection::watch(&server, limits).unwrap(),
            server,
            client.unwrap(),
        )
    }

    #[actix_web::test]
    async fn whoever_takes_no_piece_of_an_answer_is_shut_down() {
        let (connection, _server, mut client) = connected().await;
        let endless = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(b"piece")));
        let mut body = Pieces::new(&connection, BoxBody::new(BodyStream::new(endless)));
        let piece = poll_fn(|context| Pin::new(&mut body).poll_next(context)).await;
        assert_eq!(piece.unwrap().unwrap(), "piece");
        assert_eq!(connection.under_way.get(), 0, "it is the client's turn");
        let reading = tokio::time::timeout(Duration::from_secs(60), client.read_u8()).await;
        reading.expect("it is shut down").unwrap_err();
    }

    #[actix_web::test]
    async fn an_answer_that_has_no_piece_yet_is_under_way() {
        let (connection, _server, _client) = connected().await;
        let never = stream::pending::<Result<Bytes, Infallible>>();
        let mut body = Pieces::new(&connection, BoxBody::new(BodyStream::new(never)));
        for _ in 0..2 {
            let polled =
                futures_util::poll!(poll_fn(|context| Pin::new(&mut body).poll_next(context)));
            assert!(polled.is_pending());
            assert_eq!(connection.under_way.get(), 1, "however often it is asked");
        }
        drop(body);
        assert_eq!(connection.under_way.get(), 0);
    }
}
