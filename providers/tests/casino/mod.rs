//! A casino in memory: a dialect in front of the wallet's own rules and a ledger that refuses what Postgres would. It
//! plays a simulator's cases without a server, so that a dialect is seen to be wrong as soon as it is compiled.

#[path = "../door/mod.rs"]
mod door;
#[path = "../../../wallet/tests/harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;

use door::{Door, GAME, PLAYER, PROVIDER, TOKEN, with_raw};
use harness::{
    Ledger, NOON, Node, SESSION, deposit, eur, launch, player, provider, session, status,
};
use pitboss_providers::{
    Answer, Ask, Beside, Call, CallError, Context, Dialect, Found, Known, Lookup, Outcome,
    RawRequest, Settings,
    simulate::{
        Case, Expect, Move, Received, Script, Sent, Simulator, Step, Table, Turn, Verdict, cases,
    },
};
use pitboss_wallet::{
    Authenticate, Balance, Command, Fact, GameId, GameStanding, Money, PlayerStatus, Refusal,
    RefusalCode, Reply, Session,
};

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
    pub door: Door,
    ledger: Ledger,
    node: Node,
}

impl Casino {
    pub fn new(dialect: &'static dyn Dialect, choices: &[(&str, &str)]) -> Self {
        let choices: BTreeMap<String, String> = choices
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let settings = Settings::new(dialect.settings(), choices).unwrap();
        let start = Money::new(100_000_000, eur());
        let mut ledger = Ledger::default();
        let mut node = Node::new(ledger.create(PLAYER));
        for command in [
            Command::OpenAccount(eur()),
            deposit("start", start.units),
            Command::Launch(launch(SESSION)),
        ] {
            node.send(&mut ledger, NOON, &command).unwrap();
        }
        Self {
            door: Door::new(dialect, settings, session(SESSION), start),
            ledger,
            node,
        }
    }

    fn simulator(&self) -> &'static dyn Simulator {
        self.door.simulator()
    }

    fn play(&mut self, case: &Case) -> Vec<String> {
        let mut wrong = Vec::new();
        if let Some(sent) = self.request(&Move::Enter) {
            let received = self.send(&sent);
            let told = self
                .simulator()
                .read(&self.door.seat, &Move::Enter, &received);
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
                let sent = self.request(made)?.forged();
                self.check(made, &sent, *expect, self.cash())
            }
            Step::Garbled { made, body, expect } => {
                let table = self.fresh();
                let sent = self
                    .simulator()
                    .garbled(&table, &self.door.seat, made, body)?;
                self.check(made, &sent, *expect, self.cash())
            }
            Step::Astray { made, expect } => {
                let table = self.fresh();
                let sent = self.simulator().astray(&table, &self.door.seat, made)?;
                self.check(made, &sent, *expect, self.cash())
            }
            Step::Elsewhere {
                made,
                place,
                expect,
            } => {
                let table = self.fresh();
                let seat = self.door.seat.elsewhere(*place);
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
        let told = self.simulator().read(&self.door.seat, made, &received);
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
        self.door.table.serial += 1;
        self.door.table.clone()
    }

    pub fn request(&mut self, made: &Move) -> Option<Sent> {
        self.door.sent(made)
    }

    /// What the server's callback edge does.
    pub fn send(&mut self, sent: &Sent) -> Received {
        let mut call = None;
        let outcome = with_raw(&self.door.table.path.clone(), sent, |raw| {
            self.carry_out(raw, &mut call)
        });
        let balance = self.balance_beside(call.as_ref(), &outcome);
        let response = with_raw(&self.door.table.path, sent, |raw| {
            let context = Context {
                request: raw,
                account: Some(&self.door.account),
                call: call.as_ref(),
                balance,
            };
            self.door.render(&context, &outcome)
        });
        Received {
            status: response.status,
            body: response.body,
        }
    }

    fn carry_out(&mut self, raw: &RawRequest<'_>, understood: &mut Option<Call>) -> Outcome {
        self.door.dialect.verify(&self.door.account, raw)?;
        let found = self.door.dialect.lookup(&self.door.account, raw)?;
        let found = found.and_then(|lookup| self.look_up(lookup));
        let session_found = found.as_ref().and_then(|found| found.session);
        let game = |id: &GameId| match id.as_str() {
            GAME => GameStanding::ENABLED,
            _ => GameStanding::Unknown,
        };
        let known = Known { game: &game, found };
        let call = self.door.dialect.parse(&self.door.account, raw, &known)?;
        let ask = understood.insert(call).ask.clone();
        let (player, command) = match ask {
            Ask::Authenticate { token } if token == TOKEN => {
                let authenticate = Authenticate {
                    session: session(SESSION),
                    provider: provider(PROVIDER),
                };
                (player(PLAYER), Command::Authenticate(authenticate))
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
        if player.as_str() != PLAYER {
            return Err(CallError::unknown_player());
        }
        let reply = self.node.send(&mut self.ledger, NOON, &command)?;
        Ok(Answer::from((player, reply)))
    }

    fn look_up(&self, lookup: Lookup) -> Option<Found> {
        let stored = self.stored_session();
        let found = |session| Found {
            player: player(PLAYER),
            currency: eur(),
            session,
            game: stored.game.clone(),
        };
        match lookup {
            Lookup::Session(id) => (id == stored.id).then(|| found(Some(id))),
            Lookup::Token(token) => (token == TOKEN).then(|| found(Some(stored.id))),
            Lookup::LaunchToken(token) => (token == TOKEN)
                .then(|| found(stored.token_expires_at.is_some().then_some(stored.id))),
            Lookup::Player(id) => (id.as_str() == PLAYER).then(|| found(None)),
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
        let mut facts = self.ledger.answer(&player(PLAYER), &asked);
        facts.sessions.pop().unwrap().1.unwrap()
    }

    fn balance_beside(&mut self, call: Option<&Call>, outcome: &Outcome) -> Option<Balance> {
        match Beside::of(self.door.dialect, outcome) {
            Beside::Nothing => return None,
            Beside::This(balance) => return Some(balance),
            Beside::Now => {}
        }
        let (_, currency) = call?.wallet()?;
        let command = Command::Balance(currency);
        match self.node.send(&mut self.ledger, NOON, &command) {
            Ok(Reply::Balance(balance)) => Some(balance),
            _ => None,
        }
    }
}

fn text(received: &Received) -> String {
    format!(
        "{} {}",
        received.status,
        String::from_utf8_lossy(&received.body)
    )
}
