//! `pitboss demo`: a tour of the seamless wallet against a running sandbox, for somebody who is new to it.
//!
//! It is a client like any other: real HTTP, a real WebSocket, a real NATS subscription, and a new player in
//! every run. `script` is what happens, in order; `tour` does one step and checks it; `proof` holds the whole
//! against each other at the end. What must not be here: anything that knows the server from the inside.

mod bus;
mod client;
mod event;
mod proof;
mod screen;
mod script;
mod stream;
mod text;
mod tour;

use std::fmt;

use pitboss_actors::ports::Clock;

use crate::{
    sandbox::{Connection, ProviderConnection},
    seams::SystemClock,
};
use client::Client;
use screen::Screen;
use tour::{Interrupt, Tour};

/// Why there was no tour, or only a part of it. The texts say what to do.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(
        "the server at {api} does not know the operator key of the connection file: it is that of \
         another sandbox"
    )]
    Stranger { api: String },
    #[error(
        "cannot reach {address}: {reason}\n\n\
         Does the sandbox of this connection file still run? If not, start it in another terminal, and\n\
         wait for its ready line:\n\n    bin/sandbox\n\nThen run this again."
    )]
    NoAnswer { address: String, reason: String },
    #[error("the sandbox has no provider account with the dialect \"native\"; it has: {found}")]
    NoProvider { found: String },
    #[error("cannot write: {0}")]
    Output(#[from] std::io::Error),
}

/// Walks through the tour, prints it, and returns whether everything was as expected.
///
/// `audit` recomputes the ledger's invariants; it is called once, at the end, and returns whether they hold
/// and a text to show.
///
/// # Errors
/// [`DemoError`]: there is no sandbox, or it went away in between.
pub async fn run<A, E>(connection: &Connection, audit: A) -> Result<bool, DemoError>
where
    A: AsyncFnOnce() -> Result<(bool, String), E>,
    E: fmt::Display,
{
    guide(connection, Screen::stdout(), audit).await
}

async fn guide<A, E>(connection: &Connection, screen: Screen, audit: A) -> Result<bool, DemoError>
where
    A: AsyncFnOnce() -> Result<(bool, String), E>,
    E: fmt::Display,
{
    let provider = native_provider(connection)?;
    let client = Client::new(connection, provider)?;
    let games = client.send(&client.get("/v1/games")).await?;
    if games.status == 401 {
        return Err(DemoError::Stranger {
            api: connection.api.clone(),
        });
    }

    // Ids of one run must not meet those of another: the sandbox keeps its data.
    let run = text::short_number(SystemClock.now().as_micros() / 1000);
    let player = format!("demo-{run}");
    // Before the first step, because a plain subscription hears only what is published from now on.
    let bus = bus::listen(&connection.nats, &player).await?;
    let mut tour = Tour::new(screen, client, bus, player, run);
    tour.screen.title(
        "Pitboss: a seamless wallet in one minute",
        &format!(
            "Sandbox {} · player {} · provider account {}",
            connection.api, tour.player, provider.id
        ),
    )?;
    tour.screen.paragraph(
        "The casino keeps the player's money; the game keeps none. For every bet and win the game calls the \
         casino's wallet (\"callbacks\", signed by the game provider). The player's screen follows over a \
         WebSocket, and the rest of the casino over NATS. The network may repeat, reorder or lose any of \
         these calls, and still no money may move twice or get lost. That is what you see here.",
    )?;
    match walk(&mut tour, &connection.stream, audit).await {
        Ok(()) => {}
        Err(Interrupt::Halt(reason)) => {
            tour.screen
                .missed(&format!("the tour cannot go on: {reason}"))?;
        }
        Err(Interrupt::Error(error)) => return Err(error),
    }
    tour.close().await;
    Ok(tour.screen.summary()?)
}

fn native_provider(connection: &Connection) -> Result<&ProviderConnection, DemoError> {
    connection.native_provider().ok_or_else(|| {
        let providers = connection.providers.iter();
        let found: Vec<_> = providers
            .map(|provider| format!("{} ({})", provider.id, provider.dialect))
            .collect();
        DemoError::NoProvider {
            found: found.join(", "),
        }
    })
}

async fn walk<A, E>(tour: &mut Tour, stream: &str, audit: A) -> Result<(), Interrupt>
where
    A: AsyncFnOnce() -> Result<(bool, String), E>,
    E: fmt::Display,
{
    script::play(tour, stream).await?;
    proof::prove(tour).await?;
    let (holds, text) = match audit().await {
        Ok(result) => result,
        Err(error) => (false, format!("the audit could not be run: {error}")),
    };
    tour.screen.audit(holds, &text)?;
    Ok(())
}
