//! Clients that dawdle, at every place where one can, and thousands that only hold a connection: the others
//! get their answers meanwhile, and limits and time-outs close each of them.
//!
//! Seconds here are how the hostile clients behave. Nothing is proved by how long anything takes.

use std::{cell::Cell, time::Duration};

use futures_util::{
    StreamExt,
    future::{join_all, select},
    stream,
};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use pitboss_services::ScratchDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::support::{
    PATIENCE,
    client::{Client, send},
    eventually,
    player::Player,
    sandbox::Sandbox,
};

const A_SECOND: Duration = Duration::from_secs(1);
const MANY: usize = 5_000;

async fn sandbox(scratch: &ScratchDir, settings: &str) -> Sandbox {
    let config = scratch.join("hasty.toml");
    std::fs::write(&config, settings).unwrap();
    Sandbox::start(
        &scratch.join("data"),
        &["--config", config.to_str().unwrap()],
    )
    .await
}

/// What happens to one hostile client: all that it was sent, up to the end of its connection.
struct Hostile<'a> {
    client: &'a Client,
    player: &'a Player,
}

impl Hostile<'_> {
    async fn connect(&self) -> TcpStream {
        let address = self.client.at.api.trim_start_matches("http://");
        TcpStream::connect(address).await.unwrap()
    }

    /// Sends `at_once`, then a byte a second of `dripping`, over and over, until the server ends it.
    async fn drip(&self, at_once: &[u8], dripping: &str) -> String {
        let mut socket = self.connect().await;
        socket.write_all(at_once).await.unwrap();
        let (mut reading, mut writing) = socket.split();
        let told = ended(&mut reading);
        let dripping = async {
            for byte in dripping.bytes().cycle() {
                if writing.write_all(&[byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(A_SECOND).await;
            }
            // The server has closed; what it said before is there to be read.
            std::future::pending::<()>().await;
        };
        tokio::pin!(told, dripping);
        match select(told, dripping).await {
            futures_util::future::Either::Left((told, _)) => told,
            futures_util::future::Either::Right(_) => unreachable!("it drips for ever"),
        }
    }

    /// Sends the same request again and again, and takes a byte of the answers a second, or none.
    async fn asks_and_does_not_read(&self, reads: bool) {
        let mut socket = self.connect().await;
        let (mut reading, mut writing) = socket.split();
        let asking = async {
            let requests = get("/docs/rules").repeat(100);
            while writing.write_all(requests.as_bytes()).await.is_ok() {}
        };
        let taking = async {
            while reads && !matches!(reading.read_u8().await, Err(error) if is_end(&error)) {
                tokio::time::sleep(A_SECOND).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::pin!(asking, taking);
        in_time(select(asking, taking)).await;
    }

    /// Opens the stream, and then sends `at_once` and drips.
    async fn stream(&self, at_once: &[u8], dripping: &str) {
        let upgrade = upgrade(&self.player.token);
        let told = self
            .drip(&[upgrade.as_bytes(), at_once].concat(), dripping)
            .await;
        assert!(told.starts_with("HTTP/1.1 101 "), "{told}");
        assert!(told.contains("idle;retry_ms="), "{told}");
    }

    /// Opens the stream of a player to whom something happens all the time, and reads none of it. It sends
    /// pings, so that nobody can say it was idle.
    async fn opens_a_stream_and_does_not_read(&self, busy: &Player) {
        let address = self.client.at.api.trim_start_matches("http://");
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2048).unwrap();
        let mut socket = socket.connect(address.parse().unwrap()).await.unwrap();
        let mut next = upgrade(&busy.token).into_bytes();
        let sending = async {
            while socket.write_all(&next).await.is_ok() {
                next = vec![0x89, 0x80, 0, 0, 0, 0];
                tokio::time::sleep(A_SECOND).await;
            }
        };
        in_time(sending).await;
    }

    fn callback(&self, headers: &str) -> String {
        let path = self.client.callback_path("bet");
        format!("POST {path} HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
    }

    fn deposit(&self, headers: &str) -> String {
        format!(
            "POST /v1/players/{}/deposits HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n{headers}\r\n",
            self.player.id, self.client.at.operator_key
        )
    }
}

fn upgrade(token: &str) -> String {
    format!(
        "GET /v1/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: Upgrade\r\n\
         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

fn is_end(error: &std::io::Error) -> bool {
    error.kind() != std::io::ErrorKind::Interrupted
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .expect("the server ends it")
}

/// Everything up to the end of the connection, orderly or not.
async fn ended(reading: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut told = Vec::new();
    // A reset ends it as well.
    let _ = in_time(reading.read_to_end(&mut told)).await;
    String::from_utf8_lossy(&told).into_owned()
}

/// A bet on a connection of its own, as an ordinary provider makes it.
async fn bets(client: &Client, player: &Player, id: &str) {
    let body = player.bet(id, "0.01").to_string();
    let (path, signed) = client.signed("bet", body.as_bytes());
    let http = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(0)
        .build()
        .unwrap();
    let request = http
        .post(format!("{}{path}", client.at.api))
        .header("Pitboss-Signature", signed);
    send(request.body(body)).await.ok();
}

#[tokio::test]
async fn who_dawdles_is_closed_wherever_he_does_it_and_the_others_get_their_answers() {
    let scratch = ScratchDir::new("slow_clients").unwrap();
    let settings = "[server]\nrequest_timeout_ms = 3000\nbody_timeout_ms = 3000\nkeep_alive_s = 3\n\
                    tcp_user_timeout_ms = 3000\n[stream]\nheartbeat_s = 1\nidle_timeout_s = 3\nqueued_max_bytes = 4096\n";
    let sandbox = sandbox(&scratch, settings).await;
    let client = sandbox.client();
    let (ordinary, victim) = (
        Player::with(&client, "100.00").await,
        Player::with(&client, "1.00").await,
    );
    let rows = sandbox.ledger().await.rows(&victim.id).await;
    let hostile = Hostile {
        client: &client,
        player: &victim,
    };
    let (long, chunked) = ("Content-Length: 1000\r\n", "Transfer-Encoding: chunked\r\n");
    let too_much = hostile.callback(chunked) + &format!("8000\r\n{}", "x".repeat(0x7000));
    let (callback, callback_chunked, deposit, upload) = (
        hostile.callback(long),
        hostile.callback(chunked),
        hostile.deposit(long),
        format!("POST /nowhere HTTP/1.1\r\nHost: x\r\n{chunked}\r\n"),
    );
    let (once, half) = (
        get("/healthz"),
        get("/healthz") + "GET /healthz HTTP/1.1\r\nX-Slow: ",
    );
    // Where each dawdles, what it sends at once, what it drips, and how its answer begins and what is in it.
    let places = [
        ("in silence", "", "", "", ""),
        (
            "in its head",
            "GET / HTTP/1.1\r\nX-Slow: ",
            "x",
            "HTTP/1.1 408 ",
            "",
        ),
        ("after an answer", &once, "", "HTTP/1.1 200 ", ""),
        ("in its second head", &half, "x", "HTTP/1.1 200 ", ""),
        (
            "in a callback's body",
            &callback,
            " ",
            "HTTP/1.1 408 ",
            "body_too_slow",
        ),
        (
            "in a callback's chunks",
            &callback_chunked,
            "1\r\nx\r\n",
            "HTTP/1.1 408 ",
            "body_too_slow",
        ),
        (
            "in a deposit's body",
            &deposit,
            " ",
            "HTTP/1.1 408 ",
            "body_too_slow",
        ),
        (
            "in a body that is too large",
            &too_much,
            "x",
            "HTTP/1.1 413 ",
            "body_too_large",
        ),
        (
            "in a body that nobody reads",
            &upload,
            "1\r\nx\r\n",
            "HTTP/1.1 404 ",
            "not_found",
        ),
    ];
    let dawdling = places.map(async |(place, at_once, dripping, begins, has)| {
        let told = hostile.drip(at_once.as_bytes(), dripping).await;
        assert!(
            told.starts_with(begins) && told.contains(has),
            "{place}: {told}"
        );
    });
    let streaming = async {
        // The header of a text of 100 bytes.
        let begun = [0x81, 0x80 | 100, 0, 0, 0, 0];
        tokio::join!(
            hostile.stream(b"", ""),
            hostile.stream(&begun, "x"),
            hostile.opens_a_stream_and_does_not_read(&ordinary),
        )
    };
    let reading = async {
        tokio::join!(
            hostile.asks_and_does_not_read(false),
            hostile.asks_and_does_not_read(true),
        )
    };
    let all_closed = Cell::new(false);
    let attack = async {
        tokio::join!(join_all(dawdling), streaming, reading);
        all_closed.set(true);
    };
    let work = async {
        let mut count = 0;
        while !all_closed.get() {
            bets(&client, &ordinary, &format!("b{count}")).await;
            count += 1;
        }
        count
    };
    let ((), count) = tokio::join!(attack, work);
    let ledger = sandbox.ledger().await;
    assert_eq!(ledger.applied(&ordinary.id, "bet").await.len(), count);
    assert_eq!(ledger.rows(&victim.id).await, rows);
    eventually("no stream is left open", async || {
        let metrics = client.admin("/metrics").await.text;
        let open = |line: &str| line.starts_with("pitboss_sessions_open") && !line.ends_with(" 0");
        (!metrics.lines().any(open)).then_some(())
    })
    .await;
    let metrics = client.admin("/metrics").await.text;
    for part in ["body", "connection"] {
        let counted = format!("pitboss_http_too_slow_total{{part=\"{part}\"}}");
        assert!(metrics.contains(&counted), "{metrics}");
    }
}

/// Makes room for the test's own half of the connections.
fn raise_file_limit(needed: u64) {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(
        hard >= needed,
        "this test needs {needed} open files and the hard limit is {hard}: raise it (ulimit -Hn)"
    );
    if soft < needed {
        setrlimit(Resource::RLIMIT_NOFILE, needed, hard).unwrap();
    }
}

async fn connections(client: &Client) -> usize {
    let metrics = client.admin("/metrics").await.text;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("pitboss_http_connections "));
    line.unwrap().parse().unwrap()
}

/// Opens connections that each send `first` and read an answer to it, if it is anything.
async fn idle_connections(client: &Client, first: &str) -> Vec<TcpStream> {
    let address = client.at.api.trim_start_matches("http://");
    let opening = stream::iter(0..MANY).map(async |_| {
        let mut socket = TcpStream::connect(address).await.unwrap();
        if !first.is_empty() {
            socket.write_all(first.as_bytes()).await.unwrap();
            let mut answer = [0; 1024];
            let length = socket.read(&mut answer).await.unwrap();
            assert!(answer[..length].starts_with(b"HTTP/1.1 200 "));
        }
        socket
    });
    in_time(opening.buffer_unordered(200).collect()).await
}

#[tokio::test]
async fn five_thousand_idle_connections_hurt_nobody_and_are_closed() {
    // The server has two handles of each.
    raise_file_limit(2 * MANY as u64 + 2000);
    let scratch = ScratchDir::new("idle_connections").unwrap();
    let settings = "[server]\nrequest_timeout_ms = 15000\nkeep_alive_s = 15\n";
    let sandbox = sandbox(&scratch, settings).await;
    let client = sandbox.client();
    let player = Player::with(&client, "100.00").await;
    for (round, first) in [String::new(), get("/healthz")].into_iter().enumerate() {
        let idle = idle_connections(&client, &first).await;
        eventually("all of them are open", async || {
            (connections(&client).await >= MANY).then_some(())
        })
        .await;
        for index in 0..50 {
            bets(&client, &player, &format!("b{round}-{index}")).await;
        }
        let closing = idle
            .into_iter()
            .map(async |mut socket| ended(&mut socket).await);
        for told in join_all(closing).await {
            // Who never asked is told why it is closed; who had an answer is not told anything.
            let expected = if first.is_empty() {
                "HTTP/1.1 408 "
            } else {
                ""
            };
            assert!(
                told.starts_with(expected) && (told.is_empty() == expected.is_empty()),
                "{told}"
            );
        }
        eventually("none is left of them", async || {
            (connections(&client).await < 100).then_some(())
        })
        .await;
    }
}
