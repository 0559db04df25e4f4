//! The listener without TLS: HTTP/1.1 alone, and little memory for each connection.
//!
//! `HttpServer` keeps room for an HTTP/2 connection in every plain one, twice over, which is 2 KB of an idle WebSocket.
//! It is set up here as it would do it, but for that: without HTTP/2, and with the connection in a box of its own.

use std::{fmt::Debug, io, net::TcpListener, time::Duration};

use actix_http::{Extensions, HttpService, Request, Response, body::MessageBody};
use actix_server::Server;
use actix_service::{
    IntoServiceFactory, Service, ServiceFactory, ServiceFactoryExt, apply_fn_factory, map_config,
};
use actix_web::{Error, dev::AppConfig, rt::net::TcpStream};

/// As the settings of the same names say.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub workers: usize,
    pub connections_max: usize,
    pub keep_alive: Duration,
    pub request_timeout: Duration,
    pub shutdown_s: u64,
}

/// Serves an application on a listener. `on_connect` is called with each connection that is accepted, on the thread that
/// will serve it.
///
/// # Errors
/// The listener is of no use.
pub fn serve<F, I, S, B, C>(
    listener: TcpListener,
    limits: Limits,
    application: F,
    on_connect: C,
) -> io::Result<Server>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: Debug,
    S::Response: Into<Response<B>> + 'static,
    B: MessageBody + 'static,
    C: Fn(&TcpStream, &mut Extensions) + Send + Clone + 'static,
{
    let builder = Server::build()
        .workers(limits.workers)
        .max_concurrent_connections(limits.connections_max)
        .shutdown_timeout(limits.shutdown_s)
        .disable_signals();
    let stop = builder.graceful_shutdown_signal();
    let address = listener.local_addr()?;
    let builder = builder.listen("api", listener, move || {
        let stop = stop.clone();
        let on_connect = on_connect.clone();
        let connections = HttpService::build()
            .graceful_shutdown_signal(move || {
                let stop = stop.clone();
                async move { stop.notified().await }
            })
            .keep_alive(limits.keep_alive)
            .client_request_timeout(limits.request_timeout)
            .local_addr(address)
            .on_connect_ext(move |stream: &TcpStream, extensions| on_connect(stream, extensions));
        let service = application()
            .into_factory()
            .map_err(|error| error.into().error_response());
        let service = connections.h1(map_config(service, |()| AppConfig::default()));
        apply_fn_factory(service.tcp(), |stream, service| {
            Box::pin(service.call(stream))
        })
    })?;
    Ok(builder.run())
}
