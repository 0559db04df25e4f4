//! The NATS side: what any service of the casino would hear.

use std::time::Duration;

use async_nats::{Client, ConnectOptions, Message, header::NATS_MESSAGE_ID};
use futures_util::{StreamExt, stream::select_all};
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};

use super::{
    DemoError,
    event::{Event, Heard, Inbox},
};
use crate::sandbox::NatsConnection;

const PATIENCE: Duration = Duration::from_secs(5);
const SUBJECTS: [&str; 3] = ["player.*", "wallet.*", "game.*"];

pub(super) struct Bus {
    pub inbox: Inbox,
    /// Holds the connection.
    _client: Client,
    task: JoinHandle<()>,
}

impl Drop for Bus {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Subscribes, and returns when the NATS server knows of it.
pub(super) async fn listen(nats: &NatsConnection, player: &str) -> Result<Bus, DemoError> {
    let failed = |reason: String| DemoError::NoAnswer {
        address: nats.url.clone(),
        reason,
    };
    let subscribing = async {
        let client =
            ConnectOptions::with_user_and_password(nats.user.clone(), nats.password.clone())
                .name("pitboss demo")
                .connect(&nats.url)
                .await
                .map_err(|error| failed(error.to_string()))?;
        let mut subscriptions = Vec::new();
        for subject in SUBJECTS {
            let subscribed = client.subscribe(subject).await;
            let refused = |_| failed("the subscription was refused".to_owned());
            subscriptions.push(subscribed.map_err(refused)?);
        }
        client
            .flush()
            .await
            .map_err(|error| failed(error.to_string()))?;
        Ok::<_, DemoError>((client, select_all(subscriptions)))
    };
    let (client, mut messages) = timeout(PATIENCE, subscribing)
        .await
        .map_err(|_| failed("no answer in time".to_owned()))??;
    let (sender, receiver) = mpsc::channel(256);
    let player = player.to_owned();
    let task = tokio::spawn(async move {
        while let Some(message) = messages.next().await {
            if let Some(heard) = read(&message, &player)
                && sender.send(heard).await.is_err()
            {
                return;
            }
        }
    });
    Ok(Bus {
        inbox: Inbox::new(receiver),
        _client: client,
        task,
    })
}

/// The sandbox may be busy with other players: their events are none of ours.
fn read(message: &Message, player: &str) -> Option<Heard> {
    let envelope = String::from_utf8_lossy(&message.payload);
    if !envelope.contains(player) {
        return None;
    }
    let event = match Event::read(&envelope) {
        Ok(event) if event.player == player => event,
        Ok(_) => return None,
        Err(error) => return Some(Heard::Trouble(format!("NATS: {error}"))),
    };
    let id = message
        .headers
        .as_ref()
        .and_then(|headers| headers.get(NATS_MESSAGE_ID))
        .map_or("", |value| value.as_str());
    if id != event.id || message.subject.as_str() != event.kind {
        return Some(Heard::Trouble(format!(
            "NATS: subject {} and Nats-Msg-Id {id:?} do not fit the event {} {}",
            message.subject, event.kind, event.id
        )));
    }
    Some(Heard::Event(event))
}
