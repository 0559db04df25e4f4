//! Provider accounts in memory, read anew from the database every few seconds.
//!
//! A database that is away leaves what is known: providers are told "retry", not that nobody knows them.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use pitboss_providers::{Account, Dialect, Secret, dialect};
use pitboss_schema::{ProviderRow, Store, StoreError};
use pitboss_wallet::ProviderId;

use crate::vault::Vault;

/// A provider account, ready for its callbacks.
pub struct Provider {
    pub account: Account,
    pub dialect: &'static dyn Dialect,
}

#[derive(Default)]
struct Known {
    providers: HashMap<String, Arc<Provider>>,
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
        let known = Arc::new(Known { providers });
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
            Ok(secret) => secrets.push(Secret::new(secret)),
            Err(error) => tracing::error!(provider = %row.id, %error, "a secret cannot be opened"),
        }
    }
    let account = Account {
        id: row.id,
        policy: Arc::new(row.policy),
        secrets,
    };
    Some(Provider { account, dialect })
}
