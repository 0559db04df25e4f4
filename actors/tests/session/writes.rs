//! Several pending events go out in one write.
//!
//! The server's own HTTP stack over a pipe in memory that counts how often it is written to.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
};

use actix_http::HttpService;
use actix_service::{Service, ServiceFactory, map_config};
use actix_web::dev::AppConfig;
use futures_util::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio_tungstenite::tungstenite::Message;

use crate::world::{Options, app, in_time, setting};

struct Counting {
    pipe: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        Pin::new(&mut self.pipe).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}

#[actix_web::test]
async fn events_that_wait_together_go_out_in_one_write() {
    let (world, ports) = setting(Options::default());
    let factory = map_config(app(world.clone(), ports, None), |_| AppConfig::default());
    let http = HttpService::build().h1(factory);
    let service = http.new_service(()).await.expect("a service");
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let writes = Arc::new(AtomicUsize::new(0));
    let counting = Counting {
        pipe: ours,
        writes: writes.clone(),
    };
    actix_web::rt::spawn(service.call((counting, None)));
    let connecting = tokio_tungstenite::client_async("ws://x/v1/stream", theirs);
    let (mut socket, _) = in_time(connecting).await.unwrap();
    let mut text = async || match in_time(socket.next()).await.unwrap().unwrap() {
        Message::Text(text) => text,
        other => panic!("{other:?}"),
    };
    assert!(text().await.contains("snapshot"));

    // More than the library takes from a stream at a time, in less than a quantum; in one decision and in many.
    for (round, together) in [(0, true), (1, false)] {
        writes.store(0, Ordering::SeqCst);
        if together {
            world.emit_together(60);
        } else {
            for _ in 0..60 {
                world.emit();
            }
        }
        for seq in 60 * round + 1..=60 * round + 60 {
            assert!(text().await.contains(&format!(r#""seq":{seq},"#)));
        }
        let count = writes.load(Ordering::SeqCst);
        assert_eq!(count, 1, "writes of {} events", 60);
    }
}
