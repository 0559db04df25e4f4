//! The one way in which messages are sent to actors: with a deadline and a metric.
//!
//! A bare `send` waits for ever, and a mailbox's capacity is no bound (every clone of an `Addr` adds to it).
//! Admission is therefore counted before a message is sent, by whoever owns the queue: the registry for
//! players, [`crate::journal::Journal`] for commits.

use std::{future::Future, time::Duration};

use actix::{Actor, Addr, Handler, MailboxError, Message, dev::ToEnvelope};

/// Why an actor did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// The actor ended before it answered. It may have done its work.
    #[error("the actor ended before it answered")]
    Gone,
    /// The actor has not answered in time. It may still do its work.
    #[error("the actor did not answer in time")]
    Late,
}

/// Sends and waits for the answer, at most `deadline`. Giving up does not undo what the actor began.
#[allow(
    clippy::disallowed_methods,
    reason = "the helper that the ban points to"
)]
pub fn ask<A, M>(
    address: &Addr<A>,
    message: M,
    deadline: Duration,
) -> impl Future<Output = Result<M::Result, MailError>> + use<A, M>
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    let answer = address.send(message);
    async move {
        match tokio::time::timeout(deadline, answer).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(MailboxError::Closed | MailboxError::Timeout)) => Err(MailError::Gone),
            Err(_) => Err(MailError::Late),
        }
    }
}

/// Sends without an answer. A message to an actor that has ended is dropped.
#[allow(
    clippy::disallowed_methods,
    reason = "the helper that the ban points to"
)]
pub fn tell<A, M>(address: &Addr<A>, message: M)
where
    A: Actor + Handler<M>,
    A::Context: ToEnvelope<A, M>,
    M: Message + Send + 'static,
    M::Result: Send,
{
    address.do_send(message);
}
