//! One step of the tour: ask, show, listen, check.

use std::{io, time::Duration};

use serde_json::Value;
use tokio::time::Instant;

use super::{
    DemoError,
    bus::Bus,
    client::{Answer, Client, Request},
    event::Event,
    screen::{Check, Screen},
    stream::Stream,
    text::Body,
};

/// How long an event may take to the WebSocket, and to NATS.
const STREAM_PATIENCE: Duration = Duration::from_secs(3);
pub(super) const BUS_PATIENCE: Duration = Duration::from_secs(5);
/// How long to listen when nothing should come, or will come after a refusal that was not expected. What comes later still counts, at the end.
const SILENCE: Duration = Duration::from_millis(100);

pub(super) const CURRENCY: &str = "EUR";

/// Why the tour ends early.
pub(super) enum Interrupt {
    /// The sandbox answered in a way that leaves no way on: not as expected.
    Halt(String),
    Error(DemoError),
}

impl From<DemoError> for Interrupt {
    fn from(error: DemoError) -> Self {
        Self::Error(error)
    }
}

impl From<io::Error> for Interrupt {
    fn from(error: io::Error) -> Self {
        Self::Error(error.into())
    }
}

/// What a step should bring.
pub(super) struct Expected {
    status: u16,
    /// By JSON pointer.
    fields: Vec<(&'static str, Value)>,
    balance: Option<&'static str>,
    /// Whether the balance is asked for, because the answer has none, or an old one.
    ask_balance: bool,
    events: &'static [&'static str],
}

impl Expected {
    pub fn status(status: u16) -> Self {
        Self {
            status,
            fields: Vec::new(),
            balance: None,
            ask_balance: false,
            events: &[],
        }
    }

    pub fn refusal(status: u16, code: &'static str) -> Self {
        Self::status(status).field("/code", code)
    }

    pub fn field(mut self, pointer: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push((pointer, value.into()));
        self
    }

    /// The balance that the answer shows.
    pub fn balance(mut self, total: &'static str) -> Self {
        self.balance = Some(total);
        self
    }

    /// Nothing has moved: the balance is what it was, when one asks for it.
    pub fn still(mut self, total: &'static str) -> Self {
        self.balance = Some(total);
        self.ask_balance = true;
        self
    }

    pub fn events(mut self, kinds: &'static [&'static str]) -> Self {
        self.events = kinds;
        self
    }
}

pub(super) struct Tour {
    pub screen: Screen,
    pub client: Client,
    pub bus: Bus,
    /// Open from the moment on at which the player has a token.
    pub stream: Option<Stream>,
    pub player: String,
    /// Part of every id of this run.
    run: String,
    number: usize,
    /// What should be in the ledger in the end: what it is, and our id of it.
    pub recorded: Vec<(&'static str, String)>,
    /// The types of all events that the WebSocket should have shown.
    pub script: Vec<&'static str>,
    bus_is_silent: bool,
}

impl Tour {
    pub fn new(screen: Screen, client: Client, bus: Bus, player: String, run: String) -> Self {
        Self {
            screen,
            client,
            bus,
            stream: None,
            player,
            run,
            number: 0,
            recorded: Vec::new(),
            script: Vec::new(),
            bus_is_silent: false,
        }
    }

    pub async fn close(&mut self) {
        if let Some(stream) = self.stream.take() {
            stream.close().await;
        }
    }

    /// An id that no other run has used.
    pub fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.run)
    }

    pub fn heading(&mut self, title: &str, why: &str) -> io::Result<()> {
        self.number += 1;
        self.screen.step(self.number, title, why)
    }

    pub async fn step(
        &mut self,
        title: &str,
        why: &str,
        request: Request,
        expected: Expected,
    ) -> Result<Answer, Interrupt> {
        self.heading(title, why)?;
        let line = format!("{} {}", request.method, request.path);
        self.screen
            .request(&line, request.note(), request.body.as_deref())?;
        let heard_before = self.heard();
        let asked_at = Instant::now();
        let answer = self.client.send(&request).await?;
        let line = format!("{} in {} ms", answer.status, asked_at.elapsed().as_millis());
        self.screen.answer(&line, &answer.text)?;

        let status = answer.status.to_string();
        let mut checks = vec![Check::equal(
            "status",
            &status,
            &expected.status.to_string(),
        )];
        for (pointer, value) in &expected.fields {
            let name = pointer.trim_start_matches('/').replace('/', ".");
            let found = answer.json.pointer(pointer);
            checks.push(Check::equal(&name, &shown(found), &shown(Some(value))));
        }
        if let Some(total) = expected.balance {
            checks.push(
                self.check_balance(&answer, total, expected.ask_balance)
                    .await?,
            );
        }
        let as_expected = answer.status == expected.status;
        self.listen(heard_before, &expected, as_expected, &mut checks)
            .await?;
        self.screen.checks(&checks)?;
        Ok(answer)
    }

    /// A text of an answer without which there is no way on.
    pub fn need(answer: &Answer, pointer: &str) -> Result<String, Interrupt> {
        answer
            .text_at(pointer)
            .map(str::to_owned)
            .ok_or_else(|| Interrupt::Halt(format!("the answer has no {pointer}")))
    }

    /// Remembers a transaction that should be in the ledger in the end.
    pub fn record(&mut self, what: &'static str, answer: &Answer, pointer: &str) {
        let id = answer.text_at(pointer).unwrap_or("(none)").to_owned();
        self.recorded.push((what, id));
    }

    pub fn balance_request(&self) -> Request {
        let body = Body::default()
            .text("player", &self.player)
            .text("currency", CURRENCY);
        self.client.callback("balance", &body)
    }

    async fn check_balance(
        &self,
        answer: &Answer,
        total: &str,
        ask: bool,
    ) -> Result<Check, DemoError> {
        if !ask {
            let found = answer.text_at("/balance/total").unwrap_or("missing");
            return Ok(Check::equal("balance", found, total));
        }
        let now = self.client.send(&self.balance_request()).await?;
        let found = now.text_at("/balance/total").unwrap_or("missing");
        Ok(Check::equal("nothing moved: balance still", found, total))
    }

    /// How many events have come over the WebSocket and over NATS.
    fn heard(&self) -> (usize, usize) {
        let stream = self
            .stream
            .as_ref()
            .map_or(0, |stream| stream.inbox.events.len());
        (stream, self.bus.inbox.events.len())
    }

    /// Waits for what the step should bring on both channels, and shows what came.
    async fn listen(
        &mut self,
        (stream_before, bus_before): (usize, usize),
        expected: &Expected,
        as_expected: bool,
        checks: &mut Vec<Check>,
    ) -> Result<(), Interrupt> {
        let count = expected.events.len();
        let mut shown: Vec<Event> = Vec::new();
        if let Some(stream) = &mut self.stream {
            match count {
                0 => stream.inbox.pause(SILENCE).await,
                _ => {
                    let enough = |events: &[Event]| events.len() >= stream_before + count;
                    let patience = if as_expected {
                        STREAM_PATIENCE
                    } else {
                        SILENCE
                    };
                    stream.inbox.until(patience, enough).await;
                }
            }
            shown = stream.inbox.events[stream_before..].to_vec();
            self.script.extend(expected.events);
        }
        // One long wait is enough to show that the bus does not deliver.
        let patience = match count {
            0 => Duration::from_millis(1),
            _ if self.bus_is_silent || !as_expected => SILENCE,
            _ => BUS_PATIENCE,
        };
        let has_come = |events: &[Event]| {
            let all_shown = shown.iter().all(|wanted| {
                events[bus_before..]
                    .iter()
                    .any(|event| event.id == wanted.id)
            });
            all_shown && events.len() >= bus_before + count
        };
        let came = self.bus.inbox.until(patience, has_come).await;
        self.bus_is_silent |= as_expected && !came;
        let (earlier, new) = self.bus.inbox.events.split_at(bus_before);
        // The bus may repeat itself: a repeat is no news.
        let is_news = |event: &&Event| earlier.iter().all(|other| other.id != event.id);
        let delivered: Vec<Event> = new.iter().filter(is_news).cloned().collect();
        self.show(&shown, &delivered)?;
        self.check_events(expected, &shown, &delivered, checks);
        Ok(())
    }

    fn show(&mut self, shown: &[Event], delivered: &[Event]) -> io::Result<()> {
        let shown: Vec<String> = shown.iter().map(Event::summary).collect();
        let delivered: Vec<String> = delivered.iter().map(Event::delivery).collect();
        self.screen.heard("WebSocket", &shown)?;
        self.screen.heard("NATS", &delivered)
    }

    fn check_events(
        &self,
        expected: &Expected,
        shown: &[Event],
        delivered: &[Event],
        checks: &mut Vec<Check>,
    ) {
        if expected.events.is_empty() {
            if self.stream.is_some() {
                let silent = shown.is_empty() && delivered.is_empty();
                checks.push(Check::so(silent, "no event, on WebSocket or NATS"));
            }
            return;
        }
        let wanted = expected.events.join(", ");
        if self.stream.is_none() {
            let kinds = kinds(delivered);
            checks.push(Check::equal("on NATS", &kinds, &wanted));
            return;
        }
        let found = kinds(shown);
        let number = match expected.events.len() {
            1 => "1 event".to_owned(),
            count => format!("{count} events"),
        };
        checks.push(match found == wanted {
            true => Check::new(true, format!("{number} on the WebSocket")),
            false => Check::equal("on the WebSocket", &found, &wanted),
        });
        let same = shown.iter().all(|event| {
            let twin = |other: &&Event| other.id == event.id;
            delivered
                .iter()
                .find(twin)
                .is_some_and(|other| other.envelope == event.envelope)
        });
        checks.push(Check::so(
            same && !shown.is_empty(),
            "NATS delivered the same, to the byte",
        ));
        if let Some(total) = expected.balance
            && let Some(found) = shown.iter().rev().find_map(Event::balance)
        {
            checks.push(Check::equal("balance on the screen", found, total));
        }
    }
}

fn kinds(events: &[Event]) -> String {
    if events.is_empty() {
        return "nothing".to_owned();
    }
    let kinds: Vec<_> = events.iter().map(|event| event.kind.as_str()).collect();
    kinds.join(", ")
}

fn shown(value: Option<&Value>) -> String {
    match value {
        None => "missing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
