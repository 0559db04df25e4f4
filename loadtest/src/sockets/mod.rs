//! `loadtest sockets`: what a WebSocket costs, how fast events arrive, a storm of reconnects, and a client that
//! does not read. The help text tells the procedure.

mod client;
mod report;

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
    thread,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpSocket,
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until},
};

pub use report::SocketsReport;

use self::{
    client::{Seen, open, read},
    report::{Jammed, Storm},
};
use crate::{
    bets::{
        callback_path,
        drive::write_callback,
        plan::{Bet, BetForm, Run, player_id},
    },
    cli::SocketsCommand,
    clock::{unix_ms, unix_s},
    database,
    error::{Error, Result},
    http::Http,
    metrics,
    operator::Operator,
    players::{self, CURRENCY, Setup},
    process, runtime,
    sandbox::Place,
    sign::Signer,
    stats::{Recorder, per_second, thousands},
    target::Target,
};

/// Sockets that are open before the first reading: pools, buffers and code pages are then in place.
const WARM_UP: u32 = 500;
const CONNECTORS: u32 = 32;
/// For the allocator to give back what it gives back.
const SETTLE: Duration = Duration::from_secs(5);
const DRAIN_LIMIT: Duration = Duration::from_secs(300);
/// For what is on its way.
const TAIL: Duration = Duration::from_secs(2);
/// A client that does not read must be gone by then; how long its bets go on at most.
const JAM_LIMIT: Duration = Duration::from_secs(60);
const CLOSED: &str = "pitboss_sessions_closed_total";

/// Blocks until it is done.
pub fn run(command: &SocketsCommand) -> Result<SocketsReport> {
    if command.busy > command.sockets {
        return Err(Error::given("more busy sockets than sockets"));
    }
    let place = Place::new(&command.sandbox)?;
    eprintln!("starting a sandbox and creating players");
    let sandbox = place.start(true)?;
    let target = place.target()?;
    let logins = runtime::run_local(create(&target, command.sockets + WARM_UP))?;
    sandbox.stop()?;
    eprintln!("starting it again, without actors");
    let sandbox = place.start(false)?;
    let trial = Trial {
        target: place.target()?,
        command,
        logins,
    };
    let report = runtime::run_local(trial.run())?;
    sandbox.stop()?;
    place.remove()?;
    Ok(report)
}

/// A token for the stream of each player, and a game session.
struct Logins {
    tokens: Rc<Vec<String>>,
    sessions: Rc<Vec<String>>,
}

async fn create(target: &Target, count: u32) -> Result<Logins> {
    let provider = target.native_provider(None)?;
    let game = Operator::new(target)?.game_of(&provider.id).await?.id;
    let setup = Setup {
        players: count,
        game: Some(game),
        run: "sockets".into(),
        known: HashMap::new(),
    };
    let sessions = players::prepare(target, setup).await?;
    let tokens = Rc::new(RefCell::new(vec![String::new(); count as usize]));
    let next = Rc::new(Cell::new(0));
    let mut workers = JoinSet::new();
    for _ in 0..CONNECTORS {
        let (mut operator, tokens, next) = (Operator::new(target)?, tokens.clone(), next.clone());
        workers.spawn_local(async move {
            while next.get() < count {
                let index = next.replace(next.get() + 1);
                let player = player_id(index);
                let token = operator
                    .log_in(&player, CURRENCY, &format!("login-{player}"))
                    .await?;
                tokens.borrow_mut()[index as usize] = token;
            }
            Ok::<(), Error>(())
        });
    }
    joined(workers).await?;
    let client = database::connect(&database::config(&target.postgres)?).await?;
    if database::outbox_drained(&client, DRAIN_LIMIT)
        .await?
        .is_none()
    {
        return Err(Error::given(
            "the events of the set-up did not reach the bus",
        ));
    }
    Ok(Logins {
        tokens: Rc::new(tokens.take()),
        sessions: Rc::new(sessions),
    })
}

async fn joined(mut workers: JoinSet<Result<()>>) -> Result<()> {
    while let Some(worker) = workers.join_next().await {
        worker.map_err(|error| Error::given(format!("a worker ended: {error}")))??;
    }
    Ok(())
}

struct Trial<'a> {
    target: Target,
    command: &'a SocketsCommand,
    logins: Logins,
}

/// A connected client: what reads its socket, and the newest `seq` that it saw.
struct Connected {
    reader: JoinHandle<()>,
    last: Rc<Cell<i64>>,
}

/// By the player's number; `None` before he connects.
type Clients = Vec<Option<Connected>>;

impl Trial<'_> {
    async fn run(self) -> Result<SocketsReport> {
        let command = self.command;
        let count = command.sockets as usize;
        let seen = Rc::new(Seen::new()?);
        let clients: Rc<RefCell<Clients>> = Rc::default();
        clients
            .borrow_mut()
            .resize_with(count + WARM_UP as usize, || None);

        eprintln!("opening {} sockets", thousands(command.sockets.into()));
        self.connect(count..count + WARM_UP as usize, None, &clients, &seen)
            .await?;
        let before = self.settled()?;
        self.connect(0..count, None, &clients, &seen).await?;
        let after = self.settled()?;

        eprintln!(
            "{} events/s to {} of them",
            command.events_per_s, command.busy
        );
        let cpu = process::cpu(self.target.pids);
        let duration = Duration::from_secs(command.duration_s);
        let bets = self.bet(duration, &seen).await?;
        let cpu = cpu.use_until(&process::cpu(self.target.pids), duration.as_secs_f64());
        sleep(TAIL).await;
        let delivery = seen.delivery.borrow().summary();
        let (events, gaps, lost) = (seen.events.get(), seen.gaps.get(), seen.lost.get());

        eprintln!(
            "all of them leave, and come back within {} s",
            command.storm_s
        );
        let storm = self.storm(count, &clients, &seen).await?;
        for client in clients.take().into_iter().flatten() {
            client.reader.abort();
        }
        sleep(TAIL).await;

        eprintln!("one stops reading");
        let jammed = self.jam().await?;
        Ok(SocketsReport {
            sockets: command.sockets,
            busy: command.busy,
            resident_before_bytes: before,
            resident_after_bytes: after,
            bytes_per_socket: after.saturating_sub(before) / u64::from(command.sockets),
            at_most: command.at_most,
            bets,
            events,
            events_per_s: per_second(events, duration),
            delivery,
            gaps,
            lost,
            cpu,
            storm,
            jammed,
        })
    }

    fn settled(&self) -> Result<u64> {
        thread::sleep(SETTLE);
        Ok(process::memory(self.target.pids.server)?.resident_bytes)
    }

    /// Opens the sockets of these players: as fast as it goes, or spread evenly over a time. Returns how long each
    /// took to its greeting, and how often one had to be tried again.
    async fn connect(
        &self,
        range: std::ops::Range<usize>,
        within: Option<Duration>,
        clients: &Rc<RefCell<Clients>>,
        seen: &Rc<Seen>,
    ) -> Result<(Recorder, u64)> {
        let greeted = Rc::new(RefCell::new(Recorder::new()?));
        let again = Rc::new(Cell::new(0));
        let start = Instant::now();
        let total = range.len();
        let next = Rc::new(Cell::new(range.start));
        let mut workers = JoinSet::new();
        // Many more than needed when there is a schedule: one that waits must not hold the others up.
        let connectors = if within.is_some() { 1_000 } else { CONNECTORS };
        for _ in 0..connectors {
            let tokens = self.logins.tokens.clone();
            let (stream, clients, seen) =
                (self.target.stream.clone(), clients.clone(), seen.clone());
            let (next, greeted, again, range) =
                (next.clone(), greeted.clone(), again.clone(), range.clone());
            workers.spawn_local(async move {
                while next.get() < range.end {
                    let index = next.replace(next.get() + 1);
                    if let Some(within) = within {
                        let share = (index - range.start) as f64 / total as f64;
                        sleep_until(start + within.mul_f64(share)).await;
                    }
                    let due = Instant::now();
                    let after = clients.borrow()[index]
                        .as_ref()
                        .map(|client| client.last.get());
                    let (socket, last) = loop {
                        match open(&stream, &tokens[index], after).await {
                            Ok(opened) => break opened,
                            Err(error) if again.get() > 10_000 => return Err(error),
                            Err(_) => again.set(again.get() + 1),
                        }
                        sleep(Duration::from_millis(100)).await;
                    };
                    greeted.borrow_mut().record(due.elapsed());
                    let last = Rc::new(Cell::new(last));
                    let reader = tokio::task::spawn_local(read(socket, last.clone(), seen.clone()));
                    clients.borrow_mut()[index] = Some(Connected { reader, last });
                }
                Ok(())
            });
        }
        joined(workers).await?;
        let greeted = Rc::into_inner(greeted).map(RefCell::into_inner);
        let greeted = greeted.ok_or_else(|| Error::given("a connector still runs"))?;
        Ok((greeted, again.get()))
    }

    /// Everybody leaves without a word, and comes back with the newest `seq` that he has.
    async fn storm(
        &self,
        count: usize,
        clients: &Rc<RefCell<Clients>>,
        seen: &Rc<Seen>,
    ) -> Result<Storm> {
        for client in clients.borrow().iter().take(count).flatten() {
            client.reader.abort();
        }
        let within = Duration::from_secs(self.command.storm_s);
        let start = Instant::now();
        let (greeted, again) = self.connect(0..count, Some(within), clients, seen).await?;
        Ok(Storm {
            within_s: self.command.storm_s,
            took_s: start.elapsed().as_secs_f64(),
            greeted: greeted.summary(),
            again,
        })
    }

    async fn bets(&self) -> Result<(Signer, BetForm, Run)> {
        let provider = self.target.native_provider(None)?;
        let path = callback_path(&provider.id, "bet")?;
        let signer = Signer::new(&provider.secret, &path);
        let signer = signer.ok_or_else(|| Error::given("the secret cannot be a key"))?;
        let form = BetForm {
            game: Operator::new(&self.target)?.game_of(&provider.id).await?.id,
            currency: pitboss_wallet::Currency::from_code(CURRENCY)
                .ok_or_else(|| Error::given("the load test's currency is unknown"))?,
            bets_per_round: 1,
            close_rounds: false,
        };
        Ok((signer, form, Run::new(unix_ms(), 1)))
    }

    /// An open loop of bets, each of the next player; each is a round of its own, so two events.
    async fn bet(&self, duration: Duration, seen: &Rc<Seen>) -> Result<u64> {
        let (signer, form, run) = self.bets().await?;
        let authority = self.target.api_authority()?;
        let per_second = self.command.events_per_s / 2.0;
        let start = Instant::now();
        let next = Rc::new(Cell::new(0_u32));
        let done = Rc::new(Cell::new(0_u64));
        let sessions = self.logins.sessions.clone();
        let busy = self.command.busy;
        *seen.delivery.borrow_mut() = Recorder::new()?;
        seen.events.set(0);
        let mut workers = JoinSet::new();
        for _ in 0..CONNECTORS.max(64) {
            let (signer, form, run) = (signer.clone(), form.clone(), run.clone());
            let (authority, next, done, sessions) = (
                authority.clone(),
                next.clone(),
                done.clone(),
                sessions.clone(),
            );
            workers.spawn_local(async move {
                let mut http = Http::new(authority.clone());
                let (mut body, mut request) = (Vec::new(), Vec::new());
                loop {
                    let number = next.replace(next.get() + 1);
                    let due = start + Duration::from_secs_f64(f64::from(number) / per_second);
                    if due >= start + duration {
                        return Ok(());
                    }
                    sleep_until(due).await;
                    let player = number % busy;
                    let bet = Bet {
                        number,
                        player,
                        before: number / busy,
                    };
                    body.clear();
                    form.append_body(&run, bet, &sessions[player as usize], &mut body);
                    write_callback(&signer, &authority, unix_s(), &body, &mut request);
                    let answer = http
                        .send(&request)
                        .await
                        .map_err(Error::io("placing a bet"))?;
                    if answer.status == 200 {
                        done.set(done.get() + 1);
                    }
                }
            });
        }
        joined(workers).await?;
        Ok(done.get())
    }

    /// One client that stops reading, while its player bets as fast as he can.
    async fn jam(&self) -> Result<Jammed> {
        let (signer, mut form, run) = self.bets().await?;
        form.bets_per_round = 50;
        let closed_before = self.closed().await?;
        let mut deaf = self.deaf().await?;
        let before = process::memory(self.target.pids.server)?.resident_bytes;
        let authority = self.target.api_authority()?;
        let mut http = Http::new(authority.clone());
        let (mut body, mut request) = (Vec::new(), Vec::new());
        let (mut most, mut number) = (before, 0);
        let start = Instant::now();
        let gone_after = loop {
            let bet = Bet {
                number,
                player: 0,
                before: number,
            };
            body.clear();
            form.append_body(&run, bet, &self.logins.sessions[0], &mut body);
            write_callback(&signer, &authority, unix_s(), &body, &mut request);
            http.send(&request)
                .await
                .map_err(Error::io("placing a bet"))?;
            number += 1;
            if number % 50 == 0 {
                most = most.max(process::memory(self.target.pids.server)?.resident_bytes);
                if self.closed().await? > closed_before {
                    break Some(start.elapsed().as_secs_f64());
                }
            }
            if start.elapsed() > JAM_LIMIT {
                break None;
            }
        };
        // Held open until here.
        let _ = deaf.shutdown().await;
        Ok(Jammed {
            bets: number,
            grew_bytes: most - before,
            gone_after_s: gone_after,
        })
    }

    /// A client that has read its greeting's head, with a small window, and reads no more.
    async fn deaf(&self) -> Result<tokio::net::TcpStream> {
        let wrong = "opening a stream that is not read";
        let authority = self.target.api_authority()?;
        let address = authority.parse().map_err(|_| Error::given(wrong))?;
        let socket = TcpSocket::new_v4().map_err(Error::io(wrong))?;
        socket
            .set_recv_buffer_size(4096)
            .map_err(Error::io(wrong))?;
        let mut stream = socket.connect(address).await.map_err(Error::io(wrong))?;
        let request = format!(
            "GET /v1/stream HTTP/1.1\r\nHost: {authority}\r\nAuthorization: Bearer {}\r\nConnection: Upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.logins.tokens[0]
        );
        stream
            .write_all(request.as_bytes())
            .await
            .map_err(Error::io(wrong))?;
        let mut head = [0; 12];
        stream
            .read_exact(&mut head)
            .await
            .map_err(Error::io(wrong))?;
        if &head != b"HTTP/1.1 101" {
            return Err(Error::given(format!(
                "{wrong}: {}",
                String::from_utf8_lossy(&head)
            )));
        }
        Ok(stream)
    }

    /// Streams that have ended.
    async fn closed(&self) -> Result<u64> {
        let text = metrics::read(&self.target).await?;
        Ok(metrics::sum(&text, CLOSED, "environment=\"sandbox\"").unwrap_or(0))
    }
}
