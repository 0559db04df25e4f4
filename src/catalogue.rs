//! Provider accounts in memory, read anew from the database every few seconds.
//!
//! A database that is away leaves what is known: providers are told "retry", not that nobody knows them.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use pitboss_providers::{Account, Dialect, Settings, dialect};
use pitboss_schema::{CallbackLogMode, ProviderRow, ProviderStatus, Store, StoreError};
use pitboss_wallet::{GameSwitch, Policy, ProviderId, Timestamp};
use tokio::sync::Mutex;

use crate::{access::Networks, vault::Vault};

/// A provider account, ready for its callbacks.
pub struct Provider {
    pub dialect: &'static dyn Dialect,
    pub status: ProviderStatus,
    /// Where its callbacks may come from.
    pub networks: Networks,
    /// `None`: what the environment's setting says.
    pub callback_log: Option<CallbackLogMode>,
    /// The state of the account that this was made of.
    pub revision: i64,
    used: AtomicBool,
    account: Account,
    /// The same with the secret of before beside the newest, until then.
    during_rotation: Option<(Account, Timestamp)>,
}

impl Provider {
    #[must_use]
    pub const fn id(&self) -> &ProviderId {
        &self.account.id
    }

    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.account.policy
    }

    /// The account with all secrets that are valid now, the newest first.
    #[must_use]
    pub fn account(&self, now: Timestamp) -> &Account {
        match &self.during_rotation {
            Some((account, until)) if now < *until => account,
            _ => &self.account,
        }
    }

    /// What the account's status leaves of its games: one that is not active takes no bets.
    #[must_use]
    pub const fn switch(&self) -> GameSwitch {
        match self.status {
            ProviderStatus::Active => GameSwitch::Enabled,
            _ => GameSwitch::Disabled,
        }
    }

    /// Whether the database knows that the account sends what is stored.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.used.load(Ordering::Relaxed)
    }

    pub fn set_used(&self) {
        self.used.store(true, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Known {
    providers: HashMap<String, Arc<Provider>>,
}

/// The catalogue of one environment.
pub struct Catalogue {
    known: RwLock<Arc<Known>>,
    /// One at a time: what was read first must not come over what was read later.
    reading: Mutex<()>,
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
            reading: Mutex::default(),
        };
        catalogue.refresh(store, vault).await?;
        Ok(catalogue)
    }

    /// Reads everything anew.
    ///
    /// # Errors
    /// The database did not answer; what was known stays.
    pub async fn refresh(&self, store: &Store, vault: &Vault) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let providers = store
            .providers()
            .await?
            .into_iter()
            .filter_map(|row| provider(row, vault))
            .map(|provider| (provider.id().as_str().to_owned(), Arc::new(provider)))
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

    /// What the status of an account leaves of its games.
    #[must_use]
    pub fn switch(&self, provider: &ProviderId) -> GameSwitch {
        let owner = self.provider(provider.as_str());
        owner.map_or(GameSwitch::Disabled, |owner| owner.switch())
    }

    /// The provider account with this id, whatever its status is.
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
    let networks = Networks::parse(&row.allowed_addresses);
    let networks = networks.inspect_err(|error| {
        tracing::error!(provider = %row.id, %error, "its addresses cannot be read");
    });
    let place = secret_place(&row.id);
    let open = |sealed: &[u8]| {
        let bytes = vault.open(&place, sealed);
        let bytes = bytes.inspect_err(|error| {
            tracing::error!(provider = %row.id, %error, "a secret cannot be opened");
        });
        let secret = dialect.secret(bytes.ok()?);
        let secret = secret.inspect_err(|error| {
            tracing::error!(provider = %row.id, error, "a key is none of its dialect");
        });
        secret.ok()
    };
    let settings = Settings::new(dialect.settings(), row.settings);
    let settings = settings.inspect_err(|error| {
        tracing::error!(provider = %row.id, error, "its settings are none of its dialect");
    });
    let newest = open(&row.secret);
    let old = row.old_secret.as_ref();
    let old = old.and_then(|(sealed, until)| Some((open(sealed)?, *until)));
    let account = Account {
        id: row.id.clone(),
        policy: Arc::new(row.policy),
        secrets: newest.into_iter().collect(),
        settings: settings.ok()?,
    };
    let during_rotation = old.map(|(secret, until)| {
        let mut account = account.clone();
        account.secrets.push(secret);
        (account, until)
    });
    Some(Provider {
        dialect,
        status: row.status,
        networks: networks.ok()?,
        callback_log: row.callback_log,
        revision: row.revision,
        used: AtomicBool::new(row.used_at.is_some()),
        account,
        during_rotation,
    })
}

#[cfg(test)]
mod tests {
    use pitboss_schema::ProviderSettings;
    use pitboss_wallet::Policy;

    use super::*;

    #[test]
    fn the_old_secret_is_valid_until_its_time_is_over_whoever_reads_the_catalogue() {
        let vault = Vault::new(&hex::encode([7; 32]).into()).unwrap();
        let sealed = |secret: &[u8]| vault.seal("provider/acme", secret).unwrap();
        let at = Timestamp::from_micros;
        let row = ProviderRow {
            id: ProviderId::new("acme").unwrap(),
            dialect: "native".to_owned(),
            name: "Acme".to_owned(),
            policy: Policy::default(),
            settings: ProviderSettings::new(),
            secret: sealed(b"new"),
            old_secret: Some((sealed(b"old"), at(1000))),
            status: ProviderStatus::Active,
            allowed_addresses: vec!["192.0.2.0/24".to_owned()],
            callback_log: None,
            revision: 1,
            used_at: None,
            created_at: at(0),
        };
        let read = provider(row.clone(), &vault).unwrap();
        let secrets = |now| {
            let secrets = read.account(at(now)).secrets.iter();
            secrets
                .map(|secret| secret.expose().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(secrets(999), [b"new", b"old"]);
        assert_eq!(secrets(1000), [b"new"]);
        // An account whose addresses are not known is nobody's to use.
        let wrong = ProviderRow {
            allowed_addresses: vec!["everywhere".to_owned()],
            ..row.clone()
        };
        assert!(provider(wrong, &vault).is_none());
        let wrong = ProviderRow {
            settings: ProviderSettings::from([("colour".to_owned(), "red".to_owned())]),
            ..row
        };
        assert!(provider(wrong, &vault).is_none());
    }
}
