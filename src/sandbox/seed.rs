//! What a new sandbox has: keys, a provider, the test games, two players with money.

use std::{io, path::Path};

use pitboss_schema::{GameRow, Profile, Store};
use pitboss_wallet::{
    Command, Currency, Deposit, Environment, ExternalId, Money, PlayerId, ProviderId, Registration,
    Timestamp,
};
use serde::{Deserialize, Serialize};

use super::connection::{read_json, write_private_json};
use crate::{
    cli::Exit,
    keys,
    seams::random_bytes,
    server::Server,
    tokens::{self, TokenKind},
    vault::Vault,
};

/// The provider account of the sandbox.
pub const PROVIDER: &str = "demo";
const PLAYERS: [&str; 2] = ["alice", "bob"];
const START_AMOUNT: &str = "1000.00";
const START_CURRENCY: &str = "EUR";

/// The sandbox's own secrets. They stay the same from one run to the next.
#[derive(Serialize, Deserialize)]
pub struct Secrets {
    pub master_key: String,
    pub operator_key: String,
    pub provider_secret: String,
    pub nats_sandbox_password: String,
    pub nats_live_password: String,
}

impl Secrets {
    /// Reads the file, or makes it.
    ///
    /// # Errors
    /// It can be neither read nor made.
    pub fn read_or_make(file: &Path) -> io::Result<Self> {
        match read_json(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            known => return known,
        }
        let random = || random_bytes::<32>().map(hex::encode);
        let secrets = Self {
            master_key: random()?,
            operator_key: tokens::new_token(TokenKind::OperatorKey, Environment::Sandbox)?,
            provider_secret: keys::new_secret()?,
            nats_sandbox_password: random()?,
            nats_live_password: random()?,
        };
        write_private_json(file, &secrets)?;
        Ok(secrets)
    }
}

/// The operator's key, the provider and its games, as far as they are missing.
pub async fn catalogue(store: &Store, vault: &Vault, secrets: &Secrets) -> Result<(), Exit> {
    if store
        .operator_key(&tokens::hash(&secrets.operator_key))
        .await?
        .is_none()
    {
        keys::keep_operator_key(store, &secrets.operator_key, "sandbox").await?;
    }
    let provider = ProviderId::new(PROVIDER)?;
    if store.provider(&provider).await?.is_none() {
        keys::keep_provider(store, vault, &provider, "native", &secrets.provider_secret).await?;
    }
    for game in pitboss_games::catalogue() {
        let id = game.game_id()?;
        if store.game(&id).await?.is_some() {
            continue;
        }
        let category = serde_json::to_value(game.category).ok();
        let row = GameRow {
            id,
            provider: provider.clone(),
            name: game.name.to_owned(),
            category: category
                .as_ref()
                .and_then(|name| name.as_str())
                .unwrap_or("other")
                .to_owned(),
            rtp: Some(game.rtp.to_string()),
            enabled: true,
            created_at: Timestamp::from_micros(0),
        };
        store.put_game(&row).await?;
    }
    Ok(())
}

/// Two players with money, through the same door as everybody's.
pub async fn players(server: &Server) -> Result<Vec<String>, Exit> {
    let world = server.app.world(Environment::Sandbox).ok_or_else(|| Exit {
        text: "the sandbox environment did not start".into(),
        code: 1,
    })?;
    let failed = |what: &str| Exit {
        text: format!("the player {what} could not be seeded"),
        code: 1,
    };
    let currency = Currency::from_code(START_CURRENCY).ok_or_else(|| failed(START_CURRENCY))?;
    let amount = Money::parse(START_AMOUNT, currency)?;
    for name in PLAYERS {
        let player = PlayerId::new(name)?;
        world
            .store
            .create_player(&player, &Profile::default())
            .await?;
        let registration = Registration {
            country: None,
            language: None,
            test: false,
        };
        let reference = ExternalId::new(format!("seed-{name}"))?;
        for command in [
            Command::Register(registration),
            Command::OpenAccount(currency),
            Command::Deposit(Deposit { reference, amount }),
        ] {
            // A repeat of an earlier run's deposit moves nothing.
            world
                .execute(&player, command)
                .await
                .map_err(|_| failed(name))?;
        }
    }
    Ok(PLAYERS.map(str::to_owned).to_vec())
}
