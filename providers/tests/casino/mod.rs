//! A casino in memory: a dialect in front of the wallet's own rules and a ledger that refuses what Postgres would. It
//! plays a simulator's cases without a server, so that a dialect is seen to be wrong as soon as it is compiled.

#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

#[path = "../../../wallet/tests/harness/mod.rs"]
mod harness;

use std::{collections::BTreeMap, sync::Arc};

use harness::{
    Ledger, NOON, Node, PROVIDER, SESSION, deposit, eur, launch, player, provider, session, status,
};
use pitboss_providers::{
    Account, Answer, Ask, Call, CallError, Context, Dialect, Found, Known, Lookup, Outcome,
    RawRequest, Settings,
    simulate::{
        Case, Expect, Move, Place, Received, Script, Seat, Sent, Simulator, Step, Table, Told,
        Turn, Verdict, cases,
    },
};
use pitboss_wallet::{
    Authenticate, Balance, Command, Currency, Environment, Fact, GameStanding, Money, PlayerId,
    PlayerStatus, Refusal, RefusalCode, Reply, Session,
};

const TOKEN: &str = "lt_test_0123456789012345678901234567890123456789012";

/// Plays every case of a dialect; what did not end as it should, one line each.
pub fn play_all(dialect: &'static dyn Dialect, choices: &[(&str, &str)]) -> Vec<String> {
    let mut serial = 0;
    let all = cases(dialect.simulator(), || {
        serial += 1;
        Script::new(&format!("case-{serial}"), Money::new(100_000_000, eur()))
    });
    assert!(all.len() > 20, "cases are missing");
    let mut wrong = Vec::new();
    for case in &all {
        let mut casino = Casino::new(dialect, choices);
        wrong.extend(casino.play(case));
    }
    wrong
}

/// One player, in a launched game.
pub struct Casino {
    dialect: &'static dyn Dialect,
    pub account: Account,
    ledger: Ledger,
    node: Node,
    table: Table,
    pub seat: Seat,
    standing: GameStanding,
}

impl Casino {
    pub fn new(dialect: &'static dyn Dialect, choices: &[(&str, &str)]) -> Self {
        let choices: BTreeMap<String, String> = choices
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::new(dialect.settings(), choices).unwrap();
        let (ours, theirs) = dialect.simulator().keys([0xa7; 32]);
        let mut ledger = Ledger::default();
        let mut node = Node::new(ledger.create("alice"));
        for command in [
            Command::OpenAccount(eur()),
            deposit("start", 100_000_000),
            Command::Launch(launch(SESSION)),
        ] {
            node.send(&mut ledger, NOON, &command).unwrap();
        }
        Self {
            dialect,
            account: Account {
                id: provider(PROVIDER),
                policy: Arc::new(dialect.default_policy()),
                secrets: vec![dialect.secret(ours).unwrap()],
                settings: settings.clone(),
            },
            ledger,
            node,
            table: Table {
                path: format!("/callbacks/sandbox/{PROVIDER}"),
                key: theirs,
                settings,
                now_s: NOON.as_micros() / 1_000_000,
                serial: 0,
            },
            seat: Seat {
                player: "alice".to_owned(),
                session: session(SESSION).to_string(),
                token: TOKEN.to_owned(),
                game: "dice".to_owned(),
                balance: Money::new(100_000_000, eur()),
            },
            standing: GameStanding::ENABLED,
        }
    }

    fn simulator(&self) -> &'static dyn Simulator {
        self.dialect.simulator()
    }

    fn play(&mut self, case: &Case) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(sent) = self.request(&Move::Enter) {
            let received = self.send(&sent);
            let told = self.simulator().read(&self.seat, &Move::Enter, &received);
            if !told.as_ref().is_ok_and(|told| told.fits(Verdict::Ok)) {
                wrong.push(format!(
                    "{}: enter: {told:?} {}",
                    case.name,
                    text(&received)
                ));
            }
        }
        for (place, step) in case.steps.iter().enumerate() {
            if let Some(error) = self.step(step) {
                wrong.push(format!("{}, step {place}: {error}", case.name));
            }
        }
        wrong
    }

    fn step(&mut self, step: &Step) -> Option<String> {
        match step {
            Step::Play { made, expect, cash } => {
                let sent = self.request(made)?;
                self.check(made, &sent, *expect, *cash)
            }
            Step::AtOnce { made, times, cash } => {
                let turn = match made {
                    Move::Win { .. } => Turn::RepeatedWin,
                    _ => Turn::RepeatedBet,
                };
                let Expect::Told(again) = self.simulator().expect(turn) else {
                    return None;
                };
                for time in 0..*times {
                    let sent = self.request(made)?;
                    let expect = if time == 0 { Verdict::Ok } else { again };
                    if let Some(error) = self.check(made, &sent, expect, *cash) {
                        return Some(error);
                    }
                }
                None
            }
            Step::Forged { made, expect } => {
                let sent = forge(self.request(made)?);
                self.check(made, &sent, *expect, self.cash())
            }
            Step::Garbled { made, body, expect } => {
                let table = self.fresh();
                let sent = self.simulator().garbled(&table, &self.seat, made, body)?;
                self.check(made, &sent, *expect, self.cash())
            }
            Step::Astray { made, expect } => {
                let table = self.fresh();
                let sent = self.simulator().astray(&table, &self.seat, made)?;
                self.check(made, &sent, *expect, self.cash())
            }
            Step::Elsewhere {
                made,
                place,
                expect,
            } => {
                let table = self.fresh();
                let seat = elsewhere(&self.seat, *place);
                let sent = self.simulator().request(&table, &seat, made)?;
                self.check(made, &sent, *expect, self.cash())
            }
            Step::EndSession => self.operate(&Command::EndSession(session(SESSION))),
            Step::Block => self.operate(&status(PlayerStatus::BetsBlocked)),
            Step::Unblock => self.operate(&status(PlayerStatus::Active)),
        }
    }

    fn check(&mut self, made: &Move, sent: &Sent, expect: Verdict, cash: Money) -> Option<String> {
        let received = self.send(sent);
        let told = self.simulator().read(&self.seat, made, &received);
        let found = self.cash();
        let fits = told.as_ref().is_ok_and(|told| told.fits(expect));
        let holds = fits && found == cash;
        (!holds).then(|| {
            format!(
                "{made:?}: expected {expect:?} and cash {cash}, got {told:?} and cash {found}: {}",
                text(&received)
            )
        })
    }

    fn operate(&mut self, command: &Command) -> Option<String> {
        self.node.send(&mut self.ledger, NOON, command).unwrap();
        None
    }

    pub fn cash(&self) -> Money {
        Money::new(self.node.state.wallet(eur()).unwrap().cash, eur())
    }

    fn fresh(&mut self) -> Table {
        self.table.serial += 1;
        self.table.clone()
    }

    pub fn request(&mut self, made: &Move) -> Option<Sent> {
        let table = self.fresh();
        self.simulator().request(&table, &self.seat, made)
    }

    /// What the server's callback edge does.
    pub fn send(&mut self, sent: &Sent) -> Received {
        let path = format!("{}{}", self.table.path, sent.path);
        let raw = RawRequest {
            method: sent.method,
            path: &path,
            action: sent.path.trim_start_matches('/'),
            query: &sent.query,
            headers: &sent.headers,
            body: &sent.body,
            now: NOON,
            environment: Environment::Sandbox,
        };
        let mut call = None;
        let outcome = self.carry_out(&raw, &mut call);
        let balance = self.balance_beside(call.as_ref(), &outcome);
        let context = Context {
            request: &raw,
            account: Some(&self.account),
            call: call.as_ref(),
            balance,
        };
        let response = self.dialect.render(&context, &outcome);
        Received {
            status: response.status,
            body: response.body,
        }
    }

    fn carry_out(&mut self, raw: &RawRequest<'_>, understood: &mut Option<Call>) -> Outcome {
        self.dialect.verify(&self.account, raw)?;
        let found = self.dialect.lookup(&self.account, raw)?;
        let found = found.and_then(|lookup| self.look_up(lookup));
        let session_found = found.as_ref().and_then(|found| found.session);
        let enabled = self.standing.clone();
        let game = |id: &pitboss_wallet::GameId| match id.as_str() {
            "dice" => enabled.clone(),
            _ => GameStanding::Unknown,
        };
        let known = Known { game: &game, found };
        let call = self.dialect.parse(&self.account, raw, &known)?;
        let ask = understood.insert(call).ask.clone();
        let (player, command) = match ask {
            Ask::Authenticate { token } if token == TOKEN => {
                let authenticate = Authenticate {
                    session: session(SESSION),
                    provider: provider(PROVIDER),
                };
                (player("alice"), Command::Authenticate(authenticate))
            }
            Ask::Authenticate { .. } => return Err(CallError::unknown_token()),
            Ask::KeepAlive { session, .. } if session_found != Some(session) => {
                let detail = "not a game session of this provider";
                return Err(Refusal::new(RefusalCode::SessionInvalid, detail).into());
            }
            Ask::KeepAlive { player, session } => (player, Command::KeepAlive(session)),
            Ask::Balance { player, currency } | Ask::Profile { player, currency } => {
                (player, Command::Balance(currency))
            }
            Ask::Play { player, play } => (player, Command::Play(play)),
        };
        if player.as_str() != "alice" {
            return Err(CallError::unknown_player());
        }
        let reply = self.node.send(&mut self.ledger, NOON, &command)?;
        Ok(Answer::from((player, reply)))
    }

    fn look_up(&self, lookup: Lookup) -> Option<Found> {
        let stored = self.stored_session();
        let found = |session| Found {
            player: player("alice"),
            currency: eur(),
            session,
            game: stored.game.clone(),
        };
        match lookup {
            Lookup::Session(id) => (id == stored.id).then(|| found(Some(id))),
            Lookup::Token(token) => (token == TOKEN).then(|| found(Some(stored.id))),
            Lookup::LaunchToken(token) => (token == TOKEN)
                .then(|| found(stored.token_expires_at.is_some().then_some(stored.id))),
            Lookup::Player(id) => (id.as_str() == "alice").then(|| found(None)),
            Lookup::LiveSession { player, currency } => {
                let is_live = stored.is_live(NOON) && currency == eur();
                Some(Found {
                    player,
                    currency,
                    session: is_live.then_some(stored.id),
                    game: stored.game.filter(|_| is_live),
                })
            }
        }
    }

    fn stored_session(&self) -> Session {
        let asked = [Fact::Session(session(SESSION))];
        let mut facts = self.ledger.answer(&player("alice"), &asked);
        facts.sessions.pop().unwrap().1.unwrap()
    }

    fn balance_beside(&mut self, call: Option<&Call>, outcome: &Outcome) -> Option<Balance> {
        match outcome {
            Err(CallError::Refused(refusal)) if refusal.balance.is_some() => {
                return refusal.balance;
            }
            Err(CallError::Refused(refusal)) if self.dialect.wants_balance(refusal.code) => {}
            Ok(Answer {
                reply: Reply::Settled(settled),
                ..
            }) if settled.current.is_none() => {}
            _ => return None,
        }
        let (_, currency) = call?.wallet()?;
        let command = Command::Balance(currency);
        match self.node.send(&mut self.ledger, NOON, &command) {
            Ok(Reply::Balance(balance)) => Some(balance),
            _ => None,
        }
    }
}

/// With the last digit or letter of whatever proves it changed.
fn forge(mut sent: Sent) -> Sent {
    let flip = |text: &mut String| {
        if let Some(at) = text.rfind(|c: char| c.is_ascii_alphanumeric()) {
            let other = if text.as_bytes()[at] == b'0' {
                "1"
            } else {
                "0"
            };
            text.replace_range(at..=at, other);
        }
    };
    match sent.headers.last_mut() {
        Some((_, value)) => flip(value),
        None => flip(&mut sent.query),
    }
    sent
}

fn elsewhere(seat: &Seat, place: Place) -> Seat {
    let mut seat = seat.clone();
    match place {
        Place::Player => seat.player = "nobody".to_owned(),
        Place::Game => seat.game = "no-such-game".to_owned(),
        Place::Session => {
            seat.session = "ses_00000000000000000000000000000000".to_owned();
            seat.token = format!("{}0", seat.token);
        }
        Place::Currency => seat.balance.currency = Currency::from_code("GBP").unwrap(),
    }
    seat
}

fn text(received: &Received) -> String {
    format!(
        "{} {}",
        received.status,
        String::from_utf8_lossy(&received.body)
    )
}
