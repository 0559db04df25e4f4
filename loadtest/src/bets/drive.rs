//! Sends the bets: many connections on one thread.
//!
//! One thread, because the server needs the machine's other core more than the driver does. No lock is
//! needed then, and no borrow of the shared state lives across an await.

use std::{cell::RefCell, rc::Rc, time::Duration};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{
    answer::{self, Verdict},
    book::{Book, Fate},
    plan::{Bet, BetForm, Players, Run, Schedule},
    tally::{Tally, Times, Window},
};
use crate::{
    clock::unix_s,
    error::{Error, Result},
    http::Http,
    sign::Signer,
    stats::thousands,
};

/// How long after its end an open loop still sends what was due before.
const GRACE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const PROGRESS: Duration = Duration::from_secs(5);

/// How fast, how long, how patient.
#[derive(Debug, Clone)]
pub struct Load {
    /// Bets per second of an open loop; `None`: as fast as the connections allow.
    pub rate: Option<f64>,
    pub connections: u32,
    pub warm_up: Duration,
    pub duration: Duration,
    /// For one request.
    pub timeout: Duration,
    /// How often one bet is sent at most.
    pub tries: u32,
    pub overlap: bool,
}

/// What is bet and where.
pub struct Bets {
    pub authority: String,
    pub signer: Signer,
    pub run: Run,
    pub form: BetForm,
    /// The game session of each player.
    pub sessions: Vec<String>,
    pub seed: u64,
}

/// What came out.
pub struct Driven {
    pub book: Book,
    pub tally: Tally,
    pub window: Window,
    pub bytes_sent: u64,
    pub bytes_received: u64,
}

struct Shared {
    bets: Bets,
    load: Load,
    schedule: Option<Schedule>,
    start: Instant,
    window: Window,
    state: RefCell<State>,
}

struct State {
    ticket: u64,
    players: Players,
    book: Book,
    tally: Tally,
}

/// A bet that is due.
enum Ticket {
    At(Instant),
    TooLate,
    Over,
}

/// What follows an answer.
enum Next {
    Settled(Fate),
    Again { after: Option<Duration> },
}

/// Runs inside a `LocalSet`. `sample` is called at the start and at the end of the measured window.
pub async fn drive(bets: Bets, load: Load, mut sample: impl FnMut()) -> Result<Driven> {
    let start = Instant::now();
    let window = Window {
        start: start + load.warm_up,
        end: start + load.warm_up + load.duration,
    };
    let players = u32::try_from(bets.sessions.len()).unwrap_or(u32::MAX);
    if !load.overlap && players <= load.connections {
        return Err(Error::given(format!(
            "{players} players are too few for {} connections: no player has two bets in flight",
            load.connections
        )));
    }
    let shared = Rc::new(Shared {
        schedule: load
            .rate
            .map(|rate| Schedule::new(rate, load.warm_up + load.duration)),
        start,
        window,
        state: RefCell::new(State {
            ticket: 0,
            players: Players::new(players, bets.seed, load.overlap),
            book: Book::default(),
            tally: Tally::new(window)?,
        }),
        bets,
        load,
    });
    let mut workers = JoinSet::new();
    for _ in 0..shared.load.connections {
        workers.spawn_local(Worker::new(shared.clone()).work());
    }
    let progress = tokio::task::spawn_local(show_progress(shared.clone()));
    sleep_until(window.start).await;
    sample();
    sleep_until(window.end).await;
    sample();
    let (mut bytes_sent, mut bytes_received) = (0, 0);
    while let Some(worker) = workers.join_next().await {
        let http = worker.map_err(|error| Error::given(format!("a worker ended: {error}")))?;
        bytes_sent += http.bytes_sent;
        bytes_received += http.bytes_received;
    }
    progress.abort();
    // The progress task holds the other reference until it is gone.
    let _ = progress.await;
    let shared = Rc::into_inner(shared)
        .ok_or_else(|| Error::given("a worker still runs after all have ended"))?;
    let state = shared.state.into_inner();
    Ok(Driven {
        book: state.book,
        tally: state.tally,
        window,
        bytes_sent,
        bytes_received,
    })
}

async fn show_progress(shared: Rc<Shared>) {
    let mut before = 0;
    loop {
        sleep(PROGRESS).await;
        let now = shared.state.borrow().book.len() as u64;
        let rate = (now - before) / PROGRESS.as_secs();
        eprintln!(
            "  {:>4.0} s: {} bets, {}/s",
            shared.start.elapsed().as_secs_f64(),
            thousands(now),
            thousands(rate)
        );
        before = now;
    }
}

impl Shared {
    fn next_ticket(&self) -> Ticket {
        let Some(schedule) = self.schedule else {
            let now = Instant::now();
            return if now < self.window.end {
                Ticket::At(now)
            } else {
                Ticket::Over
            };
        };
        let mut state = self.state.borrow_mut();
        let Some(due) = schedule.due(state.ticket) else {
            return Ticket::Over;
        };
        state.ticket += 1;
        if Instant::now() > self.window.end + GRACE {
            state.tally.not_sent += 1;
            return Ticket::TooLate;
        }
        Ticket::At(self.start + due)
    }

    fn open_bet(&self) -> Option<Bet> {
        let mut state = self.state.borrow_mut();
        let (player, before) = state.players.pick();
        let number = state.book.open(player)?;
        Some(Bet {
            number,
            player,
            before,
        })
    }

    /// Counts one answer.
    fn count(&self, verdict: Verdict, due: Instant, sent: Instant) -> Next {
        let mut state = self.state.borrow_mut();
        let tally = &mut state.tally;
        tally.requests += 1;
        match verdict {
            Verdict::Done { replayed } => {
                tally.replays += u64::from(replayed);
                let answered = Instant::now();
                tally.acknowledged(Times {
                    due,
                    sent,
                    answered,
                });
                Next::Settled(Fate::Acknowledged)
            }
            Verdict::Refused { code } => {
                tally.refused(code);
                Next::Settled(Fate::Refused)
            }
            Verdict::Wrong { kind } => {
                tally.wrong(kind);
                Next::Settled(Fate::Unknown)
            }
            Verdict::Retry { reason, after } => {
                tally.retried(reason);
                Next::Again { after }
            }
        }
    }

    fn close_bet(&self, bet: Bet, fate: Fate) {
        let mut state = self.state.borrow_mut();
        state.players.release(bet.player);
        state.book.settle(bet.number, fate);
    }
}

struct Worker {
    shared: Rc<Shared>,
    http: Http,
    id: Vec<u8>,
    body: Vec<u8>,
    request: Vec<u8>,
}

impl Worker {
    fn new(shared: Rc<Shared>) -> Self {
        Self {
            http: Http::new(shared.bets.authority.clone()),
            shared,
            id: Vec::with_capacity(64),
            body: Vec::with_capacity(512),
            request: Vec::with_capacity(1024),
        }
    }

    async fn work(mut self) -> Http {
        loop {
            let due = match self.shared.next_ticket() {
                Ticket::At(due) => due,
                Ticket::TooLate => continue,
                Ticket::Over => return self.http,
            };
            if due > Instant::now() {
                sleep_until(due).await;
            }
            let Some(bet) = self.shared.open_bet() else {
                return self.http;
            };
            let fate = self.place(bet, due).await;
            self.shared.close_bet(bet, fate);
        }
    }

    /// Sends a bet until there is a final answer or it was tried often enough.
    async fn place(&mut self, bet: Bet, due: Instant) -> Fate {
        let shared = self.shared.clone();
        let bets = &shared.bets;
        let session = &bets.sessions[bet.player as usize];
        self.body.clear();
        bets.form
            .append_body(&bets.run, bet, session, &mut self.body);
        self.id.clear();
        bets.run.append_id(bet.number, &mut self.id);
        let sent = Instant::now();
        let mut pause = FIRST_PAUSE;
        for attempt in 1..=shared.load.tries {
            self.write_request();
            let answer = timeout(shared.load.timeout, self.http.send(&self.request)).await;
            let verdict = match answer {
                Ok(Ok(answer)) => answer::judge(&answer, &self.id, attempt > 1),
                Ok(Err(error)) => Verdict::no_answer(&error),
                Err(_) => Verdict::Retry {
                    reason: "no answer: time-out".into(),
                    after: None,
                },
            };
            let after = match shared.count(verdict, due, sent) {
                Next::Settled(fate) => return fate,
                Next::Again { after } => after,
            };
            if attempt < shared.load.tries {
                sleep(after.unwrap_or(pause).min(LONGEST_PAUSE)).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        shared.state.borrow_mut().tally.given_up += 1;
        Fate::Unknown
    }

    /// Signed anew for every try, as a provider does: a signature is good for five minutes only.
    fn write_request(&mut self) {
        let bets = &self.shared.bets;
        let (signer, authority) = (&bets.signer, &bets.authority);
        write_callback(signer, authority, unix_s(), &self.body, &mut self.request);
    }
}

/// A whole signed callback request.
pub fn write_callback(
    signer: &Signer,
    authority: &str,
    unix_s: u64,
    body: &[u8],
    request: &mut Vec<u8>,
) {
    request.clear();
    request.extend_from_slice(b"POST ");
    request.extend_from_slice(signer.path().as_bytes());
    request.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    request.extend_from_slice(authority.as_bytes());
    request.extend_from_slice(b"\r\nContent-Type: application/json\r\nContent-Length: ");
    request.extend_from_slice(body.len().to_string().as_bytes());
    request.extend_from_slice(b"\r\nPitboss-Signature: ");
    signer.append(unix_s, body, request);
    request.extend_from_slice(b"\r\n\r\n");
    request.extend_from_slice(body);
}

#[cfg(test)]
mod tests;
