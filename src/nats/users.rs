//! What integrators may read: accounts of their own, into which chosen subjects and readers are imported.
//!
//! A permission on a subject of the account itself would not hold them: whoever may ask JetStream for anything names
//! the subject of the answer, and so could have it delivered as an event of the casino. An account of his own has no
//! such subject. There his answers go to his own inboxes alone.

use std::time::Duration;

use async_nats::jetstream::{
    Context,
    consumer::{AckPolicy, pull},
};
use pitboss_actors::ports::family_of;
use pitboss_services::{NatsAccount, NatsGuest, NatsRequest};
use pitboss_wallet::Environment;
use secrecy::ExposeSecret;

use super::{BusError, stream_name};
use crate::config::{Connections, NatsUser, NatsUsers};

/// Where a user finds the JetStream API: the ordinary place in his account answers that he has no JetStream.
pub const API_PREFIX: &str = "PITBOSS.API";
/// How long a reader may take to acknowledge an event before it is delivered again.
const READER_ACK_WAIT: Duration = Duration::from_secs(30);

/// One reader of JetStream for each subject of a user: 2.9 knows one filter per reader.
struct Reader<'a> {
    stream: String,
    name: String,
    subject: &'a str,
}

fn readers<'a>(name: &'a str, user: &'a NatsUser) -> impl Iterator<Item = Reader<'a>> {
    user.subjects.iter().filter_map(move |subject| {
        let (word, kind) = subject.split_once('.')?;
        let family = family_of(word);
        // Names are unique within a stream.
        let within = if family == word {
            name.to_owned()
        } else {
            format!("{name}-{word}")
        };
        Some(Reader {
            stream: stream_name(family),
            name: match kind {
                "*" => within,
                kind => format!("{within}-{kind}"),
            },
            subject,
        })
    })
}

/// The accounts of a nats-server for the environments, each with its users.
pub fn accounts<'a>(
    environments: impl IntoIterator<Item = (Environment, &'a Connections)>,
) -> Vec<NatsAccount> {
    environments
        .into_iter()
        .map(|(environment, connections)| {
            let name = environment.as_str().to_ascii_uppercase();
            let account = NatsAccount::new(
                &name,
                &connections.nats_user,
                connections.nats_password.expose_secret(),
            );
            let users = connections.nats_users.iter();
            users.fold(account, |account, (name, user)| {
                account.guest(guest(environment, name, user))
            })
        })
        .collect()
}

fn guest(environment: Environment, name: &str, user: &NatsUser) -> NatsGuest {
    let mut guest = NatsGuest::new(
        // Names of users are unique over all accounts of a server.
        &format!("{environment}-{name}"),
        user.password.expose_secret(),
    );
    for subject in &user.subjects {
        guest = guest.hears(subject);
    }
    for Reader { stream, name, .. } in readers(name, user) {
        let api = |call: &str| NatsRequest {
            subject: format!("$JS.API.CONSUMER.{call}.{stream}.{name}"),
            seen_as: Some(format!("{API_PREFIX}.CONSUMER.{call}.{stream}.{name}")),
            many_answers: call == "MSG.NEXT",
        };
        let acknowledge = NatsRequest {
            subject: format!("$JS.ACK.{stream}.{name}.>"),
            seen_as: None,
            many_answers: false,
        };
        guest = guest
            .asks(api("INFO"))
            .asks(api("MSG.NEXT"))
            .asks(acknowledge);
    }
    guest
}

/// Makes the readers that are missing. One that is there with another filter is never changed silently.
pub(super) async fn make_readers(context: &Context, users: &NatsUsers) -> Result<(), BusError> {
    for (name, user) in users {
        for reader in readers(name, user) {
            make_reader(context, reader).await?;
        }
    }
    Ok(())
}

async fn make_reader(context: &Context, reader: Reader<'_>) -> Result<(), BusError> {
    let Reader {
        stream,
        name,
        subject,
    } = reader;
    let failed = |reason: String| BusError::Stream {
        stream: stream.clone(),
        reason: format!("reader {name}: {reason}"),
    };
    let of = context
        .get_stream(&stream)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let wanted = pull::Config {
        durable_name: Some(name.clone()),
        filter_subject: subject.to_owned(),
        ack_policy: AckPolicy::Explicit,
        ack_wait: READER_ACK_WAIT,
        ..pull::Config::default()
    };
    let made = of
        .get_or_create_consumer(&name, wanted)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let found = &made.cached_info().config;
    if found.filter_subject != subject || found.deliver_subject.is_some() {
        return Err(BusError::Differs {
            key: "filter_subject",
            found: format!("{} (reader {name})", found.filter_subject),
            wanted: subject.to_owned(),
            stream,
        });
    }
    Ok(())
}
