//! What hostile or slow clients cost, measured on a process of its own.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, reason = "shared with the session tests")]
#[path = "session/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with the session tests")]
#[path = "session/world.rs"]
mod world;

use std::{
    collections::HashMap,
    sync::{
        Arc, LazyLock, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use pitboss_actors::session::{StreamLimits, Swept};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use self::world::{Client, Options, Server, eventually, in_time, serve};

const MIB: usize = 1 << 20;

/// One at a time: they measure the memory of the process.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    let kib: usize = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib * 1024
}

/// The counters of this process, by name and reason.
#[derive(Default)]
struct Counters(Mutex<HashMap<String, Arc<AtomicU64>>>);

static COUNTERS: LazyLock<Counters> = LazyLock::new(Counters::default);

struct Recording;

impl Recorder for Recording {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let labels: Vec<_> = key.labels().map(|label| label.value()).collect();
        let name = format!("{} {}", key.name(), labels.join(" "));
        let mut counters = COUNTERS.0.lock().unwrap();
        Counter::from_arc(counters.entry(name).or_default().clone())
    }
    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }
    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

fn closed(reason: &str) -> u64 {
    // The first test to come sets it, the others find it set.
    let _ = metrics::set_global_recorder(Recording);
    let name = format!("pitboss_sessions_closed_total sandbox {reason}");
    let counters = COUNTERS.0.lock().unwrap();
    counters
        .get(&name)
        .map_or(0, |counter| counter.load(Ordering::SeqCst))
}

#[actix_web::test]
async fn a_frame_of_1_gib_is_refused_by_its_header_and_costs_less_than_1_mib() {
    let _alone = ALONE.lock().await;
    let before = closed("frame_too_large");
    let server = serve(Options::default());
    let chunk = vec![0u8; 64 * 1024];
    // The first connection pays for what every later one uses again.
    for warm_up in [true, false] {
        let mut client = server.client("").await;
        client.expect_snapshot(0).await;
        let resident = resident_bytes();
        let mut peak = 0;

        let mut header = vec![0x82, 0x80 | 127];
        header.extend((1u64 << 30).to_be_bytes());
        header.extend([0; 4]);
        let socket = client.0.get_mut();
        socket.write_all(&header).await.unwrap();
        let started = Instant::now();
        let mut sent = 0;
        let mut refused_after = None;
        while sent < 64 * MIB {
            if server.sessions.total() == 0 {
                refused_after.get_or_insert((sent, started.elapsed()));
            }
            if in_time(socket.write_all(&chunk)).await.is_err() {
                break;
            }
            sent += chunk.len();
            peak = peak.max(resident_bytes());
        }
        server.wait_until_empty().await;
        let growth = peak.saturating_sub(resident);
        println!("refused after {refused_after:?}, {sent} sent, {growth} bytes more resident");
        assert!(refused_after.is_none_or(|(sent, _)| sent < 16 * MIB));
        if !warm_up {
            assert!(growth < MIB, "{growth} bytes");
        }
    }
    assert_eq!(closed("frame_too_large") - before, 2);
}

const QUEUE_BYTES: usize = 256 * 1024;

fn jam_options(patience: Duration) -> Options {
    Options {
        limits: StreamLimits {
            max_queued_bytes: QUEUE_BYTES,
            ..StreamLimits::default()
        },
        jam: Some((64 * 1024, patience)),
        ..Options::default()
    }
}

async fn client_with_little_room(server: &Server) -> Client {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    server.client_over(stream, "").await
}

/// Pushes events until the session has enough of them; what was pushed.
async fn push_until_gone(server: &Server) -> usize {
    let mut pushed = 0;
    while server.world.sinks() > 0 {
        server.world.emit_and_forget(1000);
        pushed += 1000;
        assert!(server.sessions.bytes_queued() <= QUEUE_BYTES);
        assert!(pushed < 64 * MIB, "nothing bounds the session");
        // The server's turn: whatever the connection takes, it may.
        if pushed % 32_000 == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    pushed
}

#[actix_web::test]
async fn a_client_that_stops_reading_costs_little_and_is_gone_soon() {
    let _alone = ALONE.lock().await;
    let before = closed("slow_consumer");
    let server = serve(jam_options(Duration::from_millis(1500)));
    let mut other = server.client("?player=ben").await;
    other.expect_snapshot(0).await;
    let mut slow = client_with_little_room(&server).await;
    slow.expect_snapshot(0).await;
    // Only the slow one is to have events from here on.
    drop(other);
    eventually(|| server.sessions.total() == 1).await;
    server.world.end_actor();
    eventually(|| server.world.sinks() == 1).await;

    let resident = resident_bytes();
    let pushed = push_until_gone(&server).await;
    let growth = resident_bytes().saturating_sub(resident);
    println!("gone after {pushed} bytes, {growth} bytes more resident");
    assert!(pushed < 4 * MIB, "{pushed}");
    assert!(growth < 2 * MIB, "{growth}");
    // Freed at once, although the session could not be polled.
    assert_eq!(server.sessions.bytes_queued(), 0);
    let swept = server.sessions.sweep(Duration::from_secs(60));
    assert_eq!(
        swept,
        Swept {
            open: 1,
            jammed: 1,
            ..Swept::default()
        }
    );

    // The kernel gives the socket up.
    server.wait_until_empty().await;
    assert_eq!(closed("slow_consumer") - before, 1);
    drop(slow);
}

#[actix_web::test]
async fn a_slow_client_that_reads_again_is_told_why_it_was_closed() {
    let _alone = ALONE.lock().await;
    let before = closed("slow_consumer");
    let server = serve(jam_options(Duration::from_secs(60)));
    let mut slow = client_with_little_room(&server).await;
    slow.expect_snapshot(0).await;
    push_until_gone(&server).await;
    slow.expect_close(4001, "slow_consumer").await;
    server.wait_until_empty().await;
    assert_eq!(closed("slow_consumer") - before, 1);
}

#[actix_web::test]
async fn balances_wait_for_a_slow_client_as_one_and_never_close_it() {
    const EVENTS: usize = 20_000;
    let _alone = ALONE.lock().await;
    let server = serve(jam_options(Duration::from_secs(60)));
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(64 * 1024).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    let mut slow = server.client_over(stream, "?types=balance").await;
    slow.expect_snapshot(0).await;
    let resident = resident_bytes();
    for event in 0..EVENTS {
        server.world.emit_and_forget(1000);
        assert!(server.sessions.bytes_queued() < 1000);
        // The server's turn: whatever the connection takes, it may.
        if event % 8 == 0 {
            tokio::task::yield_now().await;
        }
    }
    let growth = resident_bytes().saturating_sub(resident);
    assert!(growth < 2 * MIB, "{growth}");
    assert_eq!(server.world.sinks(), 1, "it was closed");
    let (mut seq, mut messages) = (0, 0);
    while seq < EVENTS {
        let balance = slow.text().await;
        let newer = usize::try_from(balance["seq"].as_i64().unwrap()).unwrap();
        assert!(balance["type"] == "balance" && newer > seq, "{balance}");
        assert_eq!(balance["wallets"][0]["cash"], format!("{newer}.00"));
        (seq, messages) = (newer, messages + 1);
    }
    println!("{messages} messages of {EVENTS} events");
    assert!(messages < EVENTS);
}

#[actix_web::test]
async fn an_idle_session_is_small() {
    let _alone = ALONE.lock().await;
    const CLIENTS: usize = 500;
    let mut options = Options::default();
    options.sessions.max_sessions = 2 * CLIENTS;
    let server = serve(options);
    let mut clients = Vec::new();
    let mut resident = 0;
    for player in 0..2 * CLIENTS {
        if player == CLIENTS {
            resident = resident_bytes();
        }
        clients.push(bare_client(&server, player).await);
    }
    let growth = resident_bytes().saturating_sub(resident) / CLIENTS;
    println!("{growth} bytes for an idle session, its connection and the client's socket");
    assert!(growth < 16 * 1024, "{growth} bytes");
}

/// A client without buffers, which would be measured too.
async fn bare_client(server: &Server, player: usize) -> TcpStream {
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let request = format!(
        "GET /v1/stream?player=p{player} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut seen = Vec::new();
    while !seen.windows(10).any(|window| window == b"open_round") {
        in_time(stream.read_buf(&mut seen)).await.unwrap();
    }
    stream
}
