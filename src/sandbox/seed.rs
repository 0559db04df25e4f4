//! What a new sandbox has: keys, a provider, the test games, two players with money.

use std::{convert::Infallible, io, path::Path};

use pitboss_actors::ports::Clock;
use pitboss_schema::{Game, GamesChange, Profile, Store};
use pitboss_wallet::{
    Command, Currency, Deposit, Environment, ExternalId, Money, PlayerId, ProviderId, Registration,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::connection::{read_json, write_private_json};
use crate::{
    accounts::{self, Accounts, NewAccount, note_of},
    cli::Exit,
    config::Config,
    keys,
    seams::{SystemClock, random_bytes},
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
    /// Another person's, for what needs two. A sandbox of before may lack it.
    #[serde(default)]
    pub second_operator_key: String,
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
        let new_key = || tokens::new_token(TokenKind::OperatorKey, Environment::Sandbox);
        match read_json::<Self>(file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(mut known) if known.second_operator_key.is_empty() => {
                known.second_operator_key = new_key()?;
                write_private_json(file, &known)?;
                return Ok(known);
            }
            known => return known,
        }
        let random = || random_bytes::<32>().map(hex::encode);
        let secrets = Self {
            master_key: random()?,
            operator_key: new_key()?,
            second_operator_key: new_key()?,
            provider_secret: accounts::new_secret()?,
            nats_sandbox_password: random()?,
            nats_live_password: random()?,
        };
        write_private_json(file, &secrets)?;
        Ok(secrets)
    }
}

/// The operators' keys, the provider and its games, as far as they are missing.
pub async fn catalogue(
    store: &Store,
    vault: &Vault,
    config: &Config,
    secrets: &Secrets,
) -> Result<(), Exit> {
    for (key, person) in [
        (&secrets.operator_key, "sandbox"),
        (&secrets.second_operator_key, "sandbox-second"),
    ] {
        if store.operator_key(&tokens::hash(key)).await?.is_none() {
            let key = keys::unrestricted(key, person, person);
            keys::keep_operator_key(store, &key, config.keys.live_max).await?;
        }
    }
    let provider = ProviderId::new(PROVIDER)?;
    if store.provider(&provider).await?.is_none() {
        let accounts = Accounts {
            store,
            vault,
            limits: &config.providers,
            note: &|action, subject, detail| note_of("server", "sandbox", action, subject, detail),
        };
        accounts
            .create(NewAccount {
                secret: Some(secrets.provider_secret.clone().into()),
                ..NewAccount::of(provider.clone())
            })
            .await?;
    }
    for game in pitboss_games::catalogue() {
        let id = game.game_id()?;
        if store.game(&id).await?.is_some() {
            continue;
        }
        let fields = json!({
            "id": id, "provider": provider, "name": game.name, "category": game.category, "demo": true,
            // Of the bet that returns least.
            "rtp": game.rtp.lowest().percent(),
        });
        let entry: Game = serde_json::from_value(fields).map_err(|error| Exit {
            text: format!("the game {id} could not be seeded: {error}"),
            code: 1,
        })?;
        let put = |_| {
            let change = GamesChange {
                put: vec![entry],
                notes: vec![],
            };
            Ok::<_, Infallible>((change, ()))
        };
        let Ok(()) = store
            .change_games(&[id.as_str()], SystemClock.now(), put)
            .await?;
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
