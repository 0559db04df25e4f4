//! Provider accounts and games in memory, read anew from the database every few seconds.
//!
//! A database that is away leaves what is known: providers are told "retry", not that nobody knows them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use pitboss_providers::{Account, Dialect, Settings, dialect};
use pitboss_schema::{ProviderRow, Store, StoreError};
use pitboss_wallet::{GameId, GameStanding, GameSwitch, ProviderId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::vault::Vault;

/// A provider account, ready for its callbacks.
pub struct Provider {
    pub account: Account,
    pub dialect: &'static dyn Dialect,
}

/// A game as the API lists it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Game {
    pub id: GameId,
    pub provider: ProviderId,
    pub name: String,
    pub category: String,
    /// Return to player, in percent.
    pub rtp: Option<String>,
    pub enabled: bool,
}

#[derive(Default)]
struct Known {
    providers: HashMap<String, Arc<Provider>>,
    games: HashMap<String, Game>,
}

/// The catalogue of one environment.
pub struct Catalogue {
    known: RwLock<Arc<Known>>,
}

/// Where a provider's secrets are sealed for.
#[must_use]
pub fn secret_place(provider: &ProviderId) -> String {
    format!("provider/{provider}")
}

impl Catalogue {
    /// # Errors
    /// The database did not answer.
    pub async fn load(store: &Store, vault: &Vault) -> Result<Self, StoreError> {
        let catalogue = Self {
            known: RwLock::default(),
        };
        catalogue.refresh(store, vault).await?;
        Ok(catalogue)
    }

    /// Reads everything anew.
    ///
    /// # Errors
    /// The database did not answer; what was known stays.
    pub async fn refresh(&self, store: &Store, vault: &Vault) -> Result<(), StoreError> {
        let providers = store
            .providers()
            .await?
            .into_iter()
            .filter(|row| row.enabled)
            .filter_map(|row| provider(row, vault))
            .map(|provider| (provider.account.id.as_str().to_owned(), Arc::new(provider)))
            .collect();
        let games = store
            .games()
            .await?
            .into_iter()
            .map(|row| {
                let game = Game {
                    id: row.id,
                    provider: row.provider,
                    name: row.name,
                    category: row.category,
                    rtp: row.rtp,
                    enabled: row.enabled,
                };
                (game.id.as_str().to_owned(), game)
            })
            .collect();
        let known = Arc::new(Known { providers, games });
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    fn known(&self) -> Arc<Known> {
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The enabled provider account with this id.
    #[must_use]
    pub fn provider(&self, id: &str) -> Option<Arc<Provider>> {
        self.known().providers.get(id).cloned()
    }

    #[must_use]
    pub fn game(&self, id: &str) -> Option<Game> {
        self.known().games.get(id).cloned()
    }

    /// Every game, by id.
    #[must_use]
    pub fn games(&self) -> Vec<Game> {
        let mut games: Vec<Game> = self.known().games.values().cloned().collect();
        games.sort_by(|a, b| a.id.cmp(&b.id));
        games
    }

    /// How a game stands for a callback of this provider: another provider's game is unknown to it.
    #[must_use]
    pub fn standing(&self, provider: &ProviderId, game: &GameId) -> GameStanding {
        match self.known().games.get(game.as_str()) {
            Some(game) if game.provider == *provider => GameStanding::Known(if game.enabled {
                GameSwitch::Enabled
            } else {
                GameSwitch::Disabled
            }),
            _ => GameStanding::Unknown,
        }
    }
}

/// `None`, and a line in the log, for an account that cannot be served as it is.
fn provider(row: ProviderRow, vault: &Vault) -> Option<Provider> {
    let Some(dialect) = dialect(&row.dialect) else {
        tracing::error!(provider = %row.id, dialect = row.dialect, "there is no such dialect");
        return None;
    };
    let place = secret_place(&row.id);
    let mut secrets = Vec::with_capacity(row.secrets.len());
    for sealed in &row.secrets {
        match vault.open(&place, sealed) {
            Ok(bytes) => match dialect.secret(bytes) {
                Ok(secret) => secrets.push(secret),
                Err(error) => {
                    tracing::error!(provider = %row.id, error, "a key is none of its dialect")
                }
            },
            Err(error) => tracing::error!(provider = %row.id, %error, "a secret cannot be opened"),
        }
    }
    let account = Account {
        id: row.id,
        policy: Arc::new(row.policy),
        secrets,
        settings: Settings::default(),
    };
    Some(Provider { account, dialect })
}
