//! One player, one case.

use pitboss_actors::ports::Clock;
use pitboss_providers::{
    Dialect,
    simulate::{
        Case, Expect, Move, Received, Seat, Sent, Simulator, Step, Table, Told, Turn, Verdict,
    },
};
use pitboss_wallet::Money;

use super::{Account, Operator, Place, Row, SimulateError};
use crate::seams::SystemClock;

pub(super) struct Round<'a> {
    simulator: &'static dyn Simulator,
    operator: &'a Operator,
    table: Table,
    seat: Seat,
    /// What was answered well, and the balance in it: a repeat may show that of then.
    answered: Vec<(String, i64)>,
}

impl<'a> Round<'a> {
    /// Seats a player, and takes his launched session over where the dialect does that.
    pub async fn begin(
        operator: &'a Operator,
        place: &Place,
        account: &Account,
        dialect: &'static dyn Dialect,
        player: &str,
        start: Money,
    ) -> Result<Self, SimulateError> {
        let table = Table {
            path: format!("/callbacks/{}/{}", place.environment, account.id),
            key: account.key.clone(),
            settings: account.settings.clone(),
            now_s: 0,
            serial: 0,
        };
        let seat = operator.seat(player, &account.game, start).await?;
        let mut round = Self {
            simulator: dialect.simulator(),
            operator,
            table,
            seat,
            answered: Vec::new(),
        };
        if let Some(sent) = round.request(&Move::Enter) {
            let received = round.send(&sent).await?;
            let told = round.simulator.read(&round.seat, &Move::Enter, &received);
            if !told.as_ref().is_ok_and(|told| told.fits(Verdict::Ok)) {
                let text = String::from_utf8_lossy(&received.body);
                let detail = format!("the player could not enter the game: {told:?}: {text}");
                return Err(SimulateError::Other(detail));
            }
        }
        Ok(round)
    }

    pub async fn play(&mut self, case: &Case) -> Result<Vec<Row>, SimulateError> {
        let mut rows = Vec::new();
        for step in &case.steps {
            rows.extend(self.step(step).await?);
        }
        Ok(rows)
    }

    /// None where the dialect has no such move, or there is nothing to look at.
    async fn step(&mut self, step: &Step) -> Result<Vec<Row>, SimulateError> {
        let row = match step {
            Step::Play { made, expect, cash } => self.play_one(made, *expect, *cash).await?,
            Step::AtOnce { made, times, cash } => self.at_once(made, *times, *cash).await?,
            Step::Forged { made, expect } => return self.forged(made, *expect).await,
            Step::Garbled { made, body, expect } => {
                let table = self.fresh();
                let sent = self.simulator.garbled(&table, &self.seat, made, body);
                let what = format!("body {:?}", String::from_utf8_lossy(body));
                self.told(made, sent, *expect, &what).await?
            }
            Step::Astray { made, expect } => {
                let table = self.fresh();
                let astray = self.simulator.astray(&table, &self.seat, made);
                self.told(made, astray, *expect, "unknown action").await?
            }
            Step::Elsewhere {
                made,
                place,
                expect,
            } => {
                let seat = self.seat.elsewhere(*place);
                let table = self.fresh();
                let sent = self.simulator.request(&table, &seat, made);
                let what = format!("another {place:?}").to_lowercase();
                self.told(made, sent, *expect, &what).await?
            }
            Step::EndSession => {
                self.operator.end_session(&self.seat.session).await?;
                None
            }
            Step::Block => {
                self.operator
                    .set_status(&self.seat.player, "bets_blocked")
                    .await?;
                None
            }
            Step::Unblock => {
                self.operator
                    .set_status(&self.seat.player, "active")
                    .await?;
                None
            }
        };
        Ok(row.into_iter().collect())
    }

    async fn play_one(
        &mut self,
        made: &Move,
        expect: Verdict,
        cash: Money,
    ) -> Result<Option<Row>, SimulateError> {
        let Some(sent) = self.request(made) else {
            return Ok(None);
        };
        let received = self.send(&sent).await?;
        let told = self.simulator.read(&self.seat, made, &received);
        let found = self.cash().await?;
        let fits = told.as_ref().is_ok_and(|told| told.fits(expect));
        let shown = told.as_ref().ok().and_then(|told| told.balance);
        let shows = self.shows(made, expect, shown, cash);
        let wrongly = match shown {
            Some(shown) if !shows => format!(", shows {}", Money::new(shown, cash.currency)),
            _ => String::new(),
        };
        Ok(Some(Row {
            step: describe(made),
            expected: format!("{}, cash {cash}", name(expect)),
            got: format!("{}, cash {found}{wrongly}", read(&told)),
            answer: text(&received),
            holds: fits && shows && found == cash,
        }))
    }

    /// Whether the provider is told the right balance, wherever he is told one: after a success, and when it does not
    /// suffice. That of a repeat may be the one of then.
    fn shows(&mut self, made: &Move, expect: Verdict, shown: Option<i64>, cash: Money) -> bool {
        let tells =
            expect == Verdict::Ok || self.simulator.expect(Turn::Poor) == Expect::Told(expect);
        let (Some(shown), true) = (shown, tells) else {
            return true;
        };
        let what = format!("{made:?}");
        let is_now = shown == rounded(cash, self.simulator.digits());
        if is_now {
            self.answered.push((what, shown));
            return true;
        }
        let is_move = !matches!(made, Move::Balance | Move::Enter);
        is_move
            && self
                .answered
                .iter()
                .any(|(before, then)| *before == what && *then == shown)
    }

    /// In each way that a proof can be wrong.
    async fn forged(&mut self, made: &Move, expect: Verdict) -> Result<Vec<Row>, SimulateError> {
        let mut rows = Vec::new();
        let table = self.fresh();
        let Some(sent) = self.simulator.request(&table, &self.seat, made) else {
            return Ok(rows);
        };
        let (_, key) = self.simulator.keys([0x5a; 32]);
        let other = Table { key, ..table };
        let other = self.simulator.request(&other, &self.seat, made);
        // Some have one key for all tests.
        let other = other.filter(|other| *other != sent);
        let bare = (!sent.headers.is_empty()).then(|| Sent {
            headers: Vec::new(),
            ..sent.clone()
        });
        for (what, sent) in [
            ("changed signature", Some(sent.forged())),
            ("another key", other),
            ("no signature", bare),
        ] {
            rows.extend(self.told(made, sent, expect, what).await?);
        }
        Ok(rows)
    }

    /// All are answered well, or as a repeat is; the money moved once.
    async fn at_once(
        &mut self,
        made: &Move,
        times: usize,
        cash: Money,
    ) -> Result<Option<Row>, SimulateError> {
        let requests: Option<Vec<Sent>> = (0..times).map(|_| self.request(made)).collect();
        let Some(requests) = requests else {
            return Ok(None);
        };
        let path = &self.table.path;
        let sending = requests.iter().map(|sent| self.operator.send(path, sent));
        let turn = match made {
            Move::Win { .. } => Turn::RepeatedWin,
            _ => Turn::RepeatedBet,
        };
        let again = match self.simulator.expect(turn) {
            Expect::Told(verdict) => verdict,
            Expect::Not(_) => Verdict::Ok,
        };
        let mut wrong = Vec::new();
        for received in futures_util::future::join_all(sending).await {
            let received = received?;
            let told = self.simulator.read(&self.seat, made, &received);
            let fits = |told: &Told| told.fits(Verdict::Ok) || told.fits(again);
            if !told.as_ref().is_ok_and(fits) {
                wrong.push(format!("{}: {}", read(&told), text(&received)));
            }
        }
        let found = self.cash().await?;
        Ok(Some(Row {
            step: format!("{times} at once: {}", describe(made)),
            expected: format!("ok or {}, cash {cash}", name(again)),
            got: format!("{} of {times} fit, cash {found}", times - wrong.len()),
            answer: wrong.join("; "),
            holds: wrong.is_empty() && found == cash,
        }))
    }

    async fn told(
        &mut self,
        made: &Move,
        sent: Option<Sent>,
        expect: Verdict,
        what: &str,
    ) -> Result<Option<Row>, SimulateError> {
        let Some(sent) = sent else {
            return Ok(None);
        };
        let before = self.cash().await?;
        let received = self.send(&sent).await?;
        let told = self.simulator.read(&self.seat, made, &received);
        let after = self.cash().await?;
        Ok(Some(Row {
            step: format!("{what}: {}", describe(made)),
            expected: format!("{}, cash {before}", name(expect)),
            got: format!("{}, cash {after}", read(&told)),
            answer: text(&received),
            holds: told.as_ref().is_ok_and(|told| told.fits(expect)) && before == after,
        }))
    }

    /// The table as it is now.
    fn fresh(&mut self) -> Table {
        self.table.serial += 1;
        self.table.now_s = SystemClock.now().as_micros() / 1_000_000;
        self.table.clone()
    }

    fn request(&mut self, made: &Move) -> Option<Sent> {
        let table = self.fresh();
        self.simulator.request(&table, &self.seat, made)
    }

    async fn send(&self, sent: &Sent) -> Result<Received, SimulateError> {
        self.operator.send(&self.table.path, sent).await
    }

    async fn cash(&self) -> Result<Money, SimulateError> {
        let currency = self.seat.balance.currency;
        self.operator.cash(&self.seat.player, currency).await
    }
}

/// As much of an amount as so many digits show.
fn rounded(money: Money, digits: u32) -> i64 {
    let hidden = money.currency.ledger_digits().saturating_sub(digits);
    let step = 10_i64.pow(hidden);
    money.units.div_euclid(step) * step
}

/// Without the ids, which are long and say nothing.
fn describe(made: &Move) -> String {
    match made {
        Move::Enter => "enter".to_owned(),
        Move::Balance => "balance".to_owned(),
        Move::Bet {
            amount,
            free_round: Some(_),
            ..
        } => format!("free bet of {amount}"),
        Move::Bet { amount, .. } => format!("bet of {amount}"),
        Move::Win { amount, kind, .. } => format!("win of {amount} ({kind:?})").to_lowercase(),
        Move::BetWin { stake, won, .. } => format!("bet of {stake} and win of {won}"),
        Move::Rollback { kind, amount, .. } => {
            format!("rollback of a {} of {amount}", kind.as_str())
        }
        Move::Close { .. } => "close the round".to_owned(),
        Move::Own { name, amount, .. } => format!("{name} of {amount}"),
    }
}

fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Ok => Told::OK,
        Verdict::Code(code) => code,
    }
}

fn read(told: &Result<Told, String>) -> String {
    match told {
        Ok(told) => told.code.clone(),
        Err(error) => format!("no answer of the dialect ({error})"),
    }
}

fn text(received: &Received) -> String {
    let text = String::from_utf8_lossy(&received.body);
    let text: String = text.chars().take(300).collect();
    format!("{} {text}", received.status)
}
