//! Events as a client hears them, from whichever channel, and the inbox that collects them.

use std::time::Duration;

use serde_json::Value;
use tokio::{sync::mpsc, time::timeout};

/// An event, with the envelope as it came.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub id: String,
    pub kind: String,
    pub player: String,
    pub seq: i64,
    pub data: Value,
    pub envelope: String,
}

impl Event {
    pub fn read(envelope: &str) -> Result<Self, String> {
        let value: Value =
            serde_json::from_str(envelope).map_err(|error| format!("not JSON: {error}"))?;
        let text = |name: &str| {
            value[name]
                .as_str()
                .map(str::to_owned)
                .ok_or_else(|| format!("an event without {name}: {envelope}"))
        };
        Ok(Self {
            id: text("id")?,
            kind: text("type")?,
            player: text("player")?,
            seq: value["seq"]
                .as_i64()
                .ok_or_else(|| format!("an event without seq: {envelope}"))?,
            data: value["data"].clone(),
            envelope: envelope.to_owned(),
        })
    }

    /// `wallet` of `wallet.bet_debited`: what is ordered among itself on the bus.
    pub fn family(&self) -> &str {
        self.kind.split('.').next().unwrap_or_default()
    }

    /// The balance after it, when it is about money.
    pub fn balance(&self) -> Option<&str> {
        self.data["balance"]["total"].as_str()
    }

    /// For a line on the screen: as the bus delivered it.
    pub fn delivery(&self) -> String {
        format!("#{:<2} {:<24} Nats-Msg-Id {}", self.seq, self.kind, self.id)
    }

    /// For a line on the screen: as the player's client understands it.
    pub fn summary(&self) -> String {
        let mut text = format!("#{:<2} {}", self.seq, self.kind);
        if let (Some(amount), Some(balance)) = (self.data["amount"].as_str(), self.balance()) {
            text = format!("{text:<28} {amount}, balance {balance}");
        } else if let Some(round) = self.data["round"].as_str() {
            text = format!("{text:<28} {round}");
        }
        text
    }
}

/// What a listening task has to tell.
#[derive(Debug)]
pub(super) enum Heard {
    Event(Event),
    /// Something that is no event of this player, or the end of the connection.
    Trouble(String),
}

/// Everything heard on one channel, in the order in which it came.
pub(super) struct Inbox {
    receiver: mpsc::Receiver<Heard>,
    pub events: Vec<Event>,
    pub troubles: Vec<String>,
}

impl Inbox {
    pub fn new(receiver: mpsc::Receiver<Heard>) -> Self {
        Self {
            receiver,
            events: Vec::new(),
            troubles: Vec::new(),
        }
    }

    /// Listens until it is enough, or patience is over. Returns whether it was enough.
    pub async fn until(&mut self, patience: Duration, enough: impl Fn(&[Event]) -> bool) -> bool {
        let listening = async {
            while !enough(&self.events) {
                match self.receiver.recv().await {
                    Some(Heard::Event(event)) => self.events.push(event),
                    Some(Heard::Trouble(trouble)) => self.troubles.push(trouble),
                    None => return,
                }
            }
        };
        // Whether patience ran out or the channel ended, what counts is what is there.
        let _ = timeout(patience, listening).await;
        enough(&self.events)
    }

    /// Listens for so long, whatever comes.
    pub async fn pause(&mut self, duration: Duration) {
        self.until(duration, |_| false).await;
    }
}

#[cfg(test)]
pub(super) fn event(kind: &str, seq: i64, balance: Option<&str>) -> Event {
    let data = balance.map_or(
        serde_json::json!({}),
        |total| serde_json::json!({"amount": "1.00", "balance": {"total": total}}),
    );
    let envelope = serde_json::json!({
        "id": format!("id-{seq}"), "type": kind, "time": "t", "environment": "sandbox", "player": "p",
        "seq": seq, "transaction": null, "data": data,
    });
    Event::read(&envelope.to_string()).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_told_in_one_line() {
        let bet = event("wallet.bet_debited", 4, Some("90.00"));
        assert_eq!(
            bet.summary(),
            "#4  wallet.bet_debited       1.00, balance 90.00"
        );
        assert_eq!((bet.family(), bet.balance()), ("wallet", Some("90.00")));
        assert!(Event::read(r#"{"type":"x"}"#).is_err());
        assert!(Event::read("x").is_err());
    }

    #[tokio::test]
    async fn an_inbox_waits_until_it_is_enough_and_no_longer() {
        let (sender, receiver) = mpsc::channel(4);
        let mut inbox = Inbox::new(receiver);
        for seq in 1..3 {
            let heard = Heard::Event(event("game.launched", seq, None));
            sender.send(heard).await.unwrap();
        }
        let long = Duration::from_secs(60);
        assert!(inbox.until(long, |events| events.len() == 2).await);
        assert!(
            !inbox
                .until(Duration::from_millis(5), |events| events.len() == 3)
                .await
        );
        drop(sender);
        assert!(!inbox.until(long, |events| events.len() == 3).await);
    }
}
