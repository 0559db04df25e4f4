//! Events: the bus and the streams against the outbox (INV-7).

use std::collections::HashMap;

use async_nats::{header::NATS_MESSAGE_ID, jetstream};
use futures_util::StreamExt;
use tokio_postgres::Client;
use uuid::Uuid;

use super::each;
use crate::{
    error::{Error, Result},
    faults::{
        tally::Breaches,
        watcher::{Seen, hash},
    },
};

const EVENTS: &str = include_str!("../../../queries/whole_outbox.sql");
const STREAMS: [&str; 6] = ["WALLET", "GAME", "BONUS", "WITHDRAWAL", "PLAYER", "SYSTEM"];
/// Messages asked for at a time.
const FETCH: usize = 2_000;

/// An event of the outbox.
struct Event {
    player: u32,
    seq: i64,
    hash: u64,
    /// The bus has it.
    arrived: bool,
}

/// What every reader must have been told, by the outbox.
#[derive(Default)]
pub struct Events {
    by_id: HashMap<Uuid, Event>,
    players: Vec<String>,
    /// A hash of each event of a player, in order.
    hashes: HashMap<String, Vec<u64>>,
    /// Messages that the bus has more than once.
    pub repeated: u64,
}

impl Events {
    pub async fn read(client: &Client, breaches: &mut Breaches) -> Result<Self> {
        let mut events = Self::default();
        each(client, EVENTS, |row| {
            let player: &str = row.try_get("player_id")?;
            let (seq, body): (i64, &str) = (row.try_get("seq")?, row.try_get("body")?);
            if events.players.last().is_none_or(|last| last != player) {
                events.players.push(player.to_owned());
            }
            let hashes = events.hashes.entry(player.to_owned()).or_default();
            hashes.push(hash(body));
            if i64::try_from(hashes.len()) != Ok(seq) {
                breaches.add("the outbox has a gap", || format!("{player} {seq}"));
            }
            let event = Event {
                player: u32::try_from(events.players.len() - 1).unwrap_or(u32::MAX),
                seq,
                hash: hash(body),
                arrived: false,
            };
            events.by_id.insert(row.try_get("id")?, event);
            Ok(())
        })
        .await?;
        Ok(events)
    }

    pub fn count(&self) -> u64 {
        self.by_id.len() as u64
    }

    /// The newest `seq` of a player.
    pub fn last(&self, player: &str) -> i64 {
        let count = self.hashes.get(player).map_or(0, Vec::len);
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    /// A stream that looked all the time saw exactly these, in order.
    pub fn compare_stream(&self, player: &str, seen: &Seen, breaches: &mut Breaches) {
        let none = Vec::new();
        let expected = self.hashes.get(player).unwrap_or(&none);
        if *seen.hashes.borrow() != *expected {
            breaches.add("a stream saw other events than happened", || {
                format!("{player}: {} of {}", seen.last(), expected.len())
            });
        }
    }

    /// After de-duplication by id, JetStream has every event, unchanged, in order per player and stream.
    pub async fn compare_bus(
        &mut self,
        bus: async_nats::Client,
        breaches: &mut Breaches,
    ) -> Result<()> {
        let context = jetstream::new(bus);
        for name in STREAMS {
            let failed = |what: &str, error: &dyn std::fmt::Display| {
                Error::given(format!("{what} the stream {name}: {error}"))
            };
            let stream = context.get_stream(name).await;
            let stream = stream.map_err(|error| failed("finding", &error))?;
            let consumer = stream
                .create_consumer(jetstream::consumer::pull::Config {
                    ack_policy: jetstream::consumer::AckPolicy::None,
                    ..Default::default()
                })
                .await
                .map_err(|error| failed("reading", &error))?;
            let mut newest = vec![0; self.players.len()];
            let mut left = consumer.cached_info().num_pending;
            while left > 0 {
                let fetched = consumer.fetch().max_messages(FETCH).messages().await;
                let mut messages = fetched.map_err(|error| failed("reading", &error))?;
                while let Some(message) = messages.next().await {
                    let message = message.map_err(|error| failed("reading", &error))?;
                    left = left.saturating_sub(1);
                    let id = message
                        .headers
                        .as_ref()
                        .and_then(|headers| headers.get(NATS_MESSAGE_ID));
                    let id = id.and_then(|id| Uuid::try_parse(id.as_str()).ok());
                    let text = String::from_utf8_lossy(&message.payload);
                    self.arrived(id, &text, &mut newest, breaches);
                }
            }
        }
        let lost = self.by_id.values().filter(|event| !event.arrived).count();
        if lost > 0 {
            breaches.add("committed, and not on the bus", || format!("{lost} events"));
        }
        Ok(())
    }

    fn arrived(
        &mut self,
        id: Option<Uuid>,
        text: &str,
        newest: &mut [i64],
        breaches: &mut Breaches,
    ) {
        let Some(event) = id.and_then(|id| self.by_id.get_mut(&id)) else {
            return breaches.add("on the bus, and never committed", || text.to_owned());
        };
        if event.arrived {
            self.repeated += 1;
            return;
        }
        event.arrived = true;
        if event.hash != hash(text) {
            breaches.add("changed on its way to the bus", || text.to_owned());
        }
        let newest = &mut newest[event.player as usize];
        if event.seq <= *newest {
            breaches.add("on the bus behind a later event", || text.to_owned());
        }
        *newest = event.seq;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bus_must_have_every_event_once_unchanged_and_in_order() {
        let events = || {
            let mut events = Events::default();
            events.players.push("anna".into());
            for seq in 1..=3 {
                let event = Event {
                    player: 0,
                    seq,
                    hash: hash(&format!("event {seq}")),
                    arrived: false,
                };
                events.by_id.insert(Uuid::from_u128(seq as u128), event);
            }
            events
        };
        let arrive = |order: &[(u128, &str)]| {
            let (mut events, mut breaches) = (events(), Breaches::default());
            let mut newest = [0];
            for (id, text) in order {
                events.arrived(Some(Uuid::from_u128(*id)), text, &mut newest, &mut breaches);
            }
            let list = breaches.into_list();
            list.into_iter().map(|(kind, ..)| kind).collect::<Vec<_>>()
        };
        let right = [
            (1, "event 1"),
            (2, "event 2"),
            (1, "event 1"),
            (3, "event 3"),
        ];
        assert!(arrive(&right).is_empty());
        assert_eq!(
            arrive(&[(2, "event 2"), (1, "event 1")]),
            ["on the bus behind a later event"]
        );
        assert_eq!(arrive(&[(1, "event 7")]), ["changed on its way to the bus"]);
        assert_eq!(
            arrive(&[(9, "event 9")]),
            ["on the bus, and never committed"]
        );
    }
}
