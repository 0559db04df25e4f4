//! Provider accounts: made, changed and rotated, by the REST API, the command line and the sandbox alike.
//!
//! What lives here: what an account may be made of (`request`, `secret`), the order in which it may be changed (here), and
//! the command line (`command`). What must not: HTTP, SQL.
//! A running server knows the accounts by its catalogue (`src/catalogue.rs`).

pub mod command;
mod request;
mod secret;

use pitboss_actors::ports::{Clock, Ids};
use pitboss_providers::{Dialect, dialect};
use pitboss_schema::{
    AuditAction, AuditNote, CallbackLogMode, NewProvider, ProviderChange, ProviderRow,
    ProviderSettings, ProviderStatus, Store, StoreError,
};
use pitboss_wallet::{Policy, ProviderId};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

pub use request::{AccountChange, NewAccount};
pub use secret::{SECRET_PREFIX, new_secret};

use request::{changed_settings, check_name, check_policy, check_settings};
use secret::Chosen;

use crate::{
    access::Networks,
    catalogue::secret_place,
    config,
    seams::SystemClock,
    vault::{Vault, VaultError},
};

/// A name that the ledger uses itself, for money that no game provider moves.
const RESERVED: &str = "cashier";
/// A grace is no way to keep two secrets for ever.
pub const GRACE_MAX_S: i64 = 30 * 86_400;
/// How often a change is tried again that another one came before.
const TRIES: usize = 5;

/// Why an account is not made or changed.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error("{0}")]
    Store(#[from] StoreError),
    #[error("{0}")]
    Vault(#[from] VaultError),
    #[error("the operating system gives no random bytes: {0}")]
    Random(#[from] std::io::Error),
    /// Names the field.
    #[error("{0}")]
    Wrong(String),
    #[error("there is a provider account of this id already")]
    Exists,
    #[error("there are {0} provider accounts already")]
    Limit(u32),
    #[error("there is no such provider account")]
    Unknown,
    #[error("{0}")]
    InUse(&'static str),
    #[error("policy.{0}: it is fixed, for the account has sent transactions that are kept by it")]
    Locked(&'static str),
    #[error("it is being changed by others all the time")]
    Contended,
}

/// Makes an entry of the audit log for whoever does it.
pub type Noting<'a> = &'a (dyn Fn(AuditAction, String, Value) -> AuditNote + Sync);

/// The accounts of one environment.
pub struct Accounts<'a> {
    pub store: &'a Store,
    pub vault: &'a Vault,
    pub limits: &'a config::Providers,
    pub note: Noting<'a>,
}

impl Accounts<'_> {
    /// Makes an account, and a secret where none is given, of which the text is the only copy.
    ///
    /// # Errors
    /// [`AccountError`]
    pub async fn create(
        &self,
        new: NewAccount,
    ) -> Result<(ProviderRow, Option<String>), AccountError> {
        let id = new.id;
        if id.as_str() == RESERVED || id.as_str().bytes().all(|byte| byte == b'.') {
            return Err(AccountError::Wrong(format!("id: {id:?} cannot be taken")));
        }
        let speaks = dialect_of(&new.dialect)?;
        let name = new.name.unwrap_or_else(|| id.to_string());
        check_name(&name)?;
        check_policy(&new.policy)?;
        check_settings(speaks, &new.settings)?;
        let secret = Chosen::new(speaks, new.secret)?;
        let new = NewProvider {
            name,
            policy: new.policy.applied_to(&speaks.default_policy()),
            settings: new.settings,
            secret: self.seal(&id, secret.text())?,
            allowed_addresses: self.networks(&new.allowed_addresses)?,
            callback_log: new.callback_log,
            dialect: new.dialect,
            id,
        };
        let mut detail = fields(
            &new.name,
            &new.policy,
            every_setting(&new.dialect, &new.settings),
            &new.allowed_addresses,
            new.callback_log,
        );
        detail.insert("dialect".to_owned(), json!(new.dialect));
        let note = (self.note)(
            AuditAction::ProviderCreated,
            subject(&new.id),
            detail.into(),
        );
        let most = self.limits.accounts_max;
        let made = self.store.create_provider(&new, most, &note).await?;
        match made {
            Some(row) => Ok((row, secret.shown())),
            None if self.store.provider(&new.id).await?.is_some() => Err(AccountError::Exists),
            None => Err(AccountError::Limit(most)),
        }
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`AccountError`]
    pub async fn change(
        &self,
        id: &ProviderId,
        change: &AccountChange,
    ) -> Result<ProviderRow, AccountError> {
        if let Some(name) = &change.name {
            check_name(name)?;
        }
        check_policy(&change.policy)?;
        let addresses = change.allowed_addresses.as_deref();
        let addresses = addresses.map(|texts| self.networks(texts)).transpose()?;
        for _ in 0..TRIES {
            let row = self.find(id).await?;
            let settings =
                changed_settings(dialect_of(&row.dialect)?, &row.settings, &change.settings)?;
            let to = wanted(&row, change, settings, addresses.as_ref())?;
            let notes = self.notes(&row, &to);
            if notes.is_empty() {
                return Ok(row);
            }
            if let Some(changed) = self.store.change_provider(&to, &notes).await? {
                return Ok(changed);
            }
            let now = self.find(id).await?;
            if to.needs_settled && (now.revision, now.used_at) == (row.revision, row.used_at) {
                let detail = "the account has open rounds; they are settled first, or voided";
                return Err(AccountError::InUse(detail));
            }
        }
        Err(AccountError::Contended)
    }

    /// Gives an account this secret, or a new one, of which the text is the only copy. The one of before is valid for
    /// `grace_s` more.
    ///
    /// # Errors
    /// [`AccountError`]
    pub async fn rotate(
        &self,
        id: &ProviderId,
        grace_s: Option<i64>,
        given: Option<SecretString>,
    ) -> Result<(ProviderRow, Option<String>), AccountError> {
        let grace_s = grace_s.unwrap_or(self.limits.grace_s);
        if !(0..=GRACE_MAX_S).contains(&grace_s) {
            let text = format!("grace_s: must be from 0 to {GRACE_MAX_S}");
            return Err(AccountError::Wrong(text));
        }
        let row = self.find(id).await?;
        let secret = Chosen::new(dialect_of(&row.dialect)?, given)?;
        let sealed = self.seal(id, secret.text())?;
        let old_until = (grace_s > 0).then(|| SystemClock.now().plus_seconds(grace_s));
        let detail = json!({ "old_secret_until": old_until });
        let note = (self.note)(AuditAction::ProviderSecretRotated, subject(id), detail);
        let rotated = self.store.rotate_provider(id, &sealed, old_until, &note);
        let row = rotated.await?.ok_or(AccountError::Unknown)?;
        Ok((row, secret.shown()))
    }

    /// Ends the secret of before the last rotation at once. An account that has none stays as it is.
    ///
    /// # Errors
    /// [`AccountError`]
    pub async fn revoke_old(&self, id: &ProviderId) -> Result<ProviderRow, AccountError> {
        let action = AuditAction::ProviderOldSecretRevoked;
        let note = (self.note)(action, subject(id), json!({}));
        match self.store.revoke_old_secret(id, &note).await? {
            Some(row) => Ok(row),
            None => self.find(id).await,
        }
    }

    async fn find(&self, id: &ProviderId) -> Result<ProviderRow, AccountError> {
        let row = self.store.provider(id).await?;
        row.ok_or(AccountError::Unknown)
    }

    fn seal(&self, id: &ProviderId, secret: &str) -> Result<Vec<u8>, VaultError> {
        self.vault.seal(&secret_place(id), secret.as_bytes())
    }

    fn networks(&self, texts: &[String]) -> Result<Vec<String>, AccountError> {
        let most = self.limits.addresses_max;
        if texts.len() > most {
            let text = format!("allowed_addresses: at most {most}");
            return Err(AccountError::Wrong(text));
        }
        let networks = Networks::parse(texts);
        let networks =
            networks.map_err(|error| AccountError::Wrong(format!("allowed_addresses: {error}")))?;
        Ok(networks.names())
    }

    /// What a change does: an entry for the fields, and one for the status.
    fn notes(&self, row: &ProviderRow, to: &ProviderChange) -> Vec<AuditNote> {
        let mut notes = Vec::new();
        let before = fields(
            &row.name,
            &row.policy,
            every_setting(&row.dialect, &row.settings),
            &row.allowed_addresses,
            row.callback_log,
        );
        let mut after = fields(
            &to.name,
            &to.policy,
            every_setting(&row.dialect, &to.settings),
            &to.allowed_addresses,
            to.callback_log,
        );
        after.retain(|name, value| before.get(name) != Some(value));
        if !after.is_empty() {
            let mut before = before;
            before.retain(|name, _| after.contains_key(name));
            let detail = json!({ "before": before, "after": after });
            notes.push((self.note)(
                AuditAction::ProviderChanged,
                subject(&row.id),
                detail,
            ));
        }
        if row.status != to.status {
            let action = match to.status {
                ProviderStatus::Active => AuditAction::ProviderEnabled,
                ProviderStatus::Disabled => AuditAction::ProviderDisabled,
                ProviderStatus::Closed => AuditAction::ProviderClosed,
            };
            let detail =
                json!({ "before": { "status": row.status }, "after": { "status": to.status } });
            notes.push((self.note)(action, subject(&row.id), detail));
        }
        notes
    }
}

/// The dialect that an account names.
fn dialect_of(name: &str) -> Result<&'static dyn Dialect, AccountError> {
    dialect(name).ok_or_else(|| {
        let name: String = name.chars().take(64).collect();
        AccountError::Wrong(format!("dialect: there is no {name:?}"))
    })
}

/// Every setting of a dialect, chosen or not.
#[must_use]
pub fn every_setting(dialect_name: &str, chosen: &ProviderSettings) -> ProviderSettings {
    let known = dialect(dialect_name).map_or(&[][..], |dialect| dialect.settings());
    let defaults = known.iter();
    let defaults = defaults.map(|one| (one.name.to_owned(), one.default.to_owned()));
    let mut all: ProviderSettings = defaults.collect();
    all.extend(chosen.clone());
    all
}

/// The account as a change wants it, if it may.
fn wanted(
    row: &ProviderRow,
    change: &AccountChange,
    settings: ProviderSettings,
    addresses: Option<&Vec<String>>,
) -> Result<ProviderChange, AccountError> {
    let policy = change.policy.applied_to(&row.policy);
    let differing = row.policy.differing_keys(&policy);
    if let (Some(_), Some(first)) = (row.used_at, differing.first()) {
        return Err(AccountError::Locked(first));
    }
    let status = change.status.unwrap_or(row.status);
    if (row.status, status) == (ProviderStatus::Active, ProviderStatus::Closed) {
        let detail =
            "the account takes bets; it is disabled first, and closed when its rounds are settled";
        return Err(AccountError::InUse(detail));
    }
    Ok(ProviderChange {
        id: row.id.clone(),
        revision: row.revision,
        name: change.name.as_ref().unwrap_or(&row.name).clone(),
        policy,
        settings,
        status,
        allowed_addresses: addresses.unwrap_or(&row.allowed_addresses).clone(),
        callback_log: change.callback_log.unwrap_or(row.callback_log),
        needs_unused: !differing.is_empty(),
        needs_settled: status == ProviderStatus::Closed && row.status != status,
    })
}

/// What the audit log tells of an account, a name each.
fn fields(
    name: &str,
    policy: &Policy,
    settings: ProviderSettings,
    addresses: &[String],
    mode: Option<CallbackLogMode>,
) -> Map<String, Value> {
    let mut fields = Map::new();
    if let Ok(Value::Object(choices)) = serde_json::to_value(policy) {
        let choices = choices.into_iter();
        fields.extend(choices.map(|(name, value)| (format!("policy.{name}"), value)));
    }
    let settings = settings.into_iter();
    fields.extend(settings.map(|(name, value)| (format!("settings.{name}"), value.into())));
    fields.insert("name".to_owned(), json!(name));
    fields.insert("allowed_addresses".to_owned(), json!(addresses));
    fields.insert("callback_log".to_owned(), json!(mode));
    fields
}

fn subject(id: &ProviderId) -> String {
    format!("provider/{id}")
}

/// An entry of the audit log for what is done without a key: by the sandbox, or on the command line.
#[must_use]
pub fn note_of(
    kind: &'static str,
    who: &str,
    action: AuditAction,
    subject: String,
    detail: Value,
) -> AuditNote {
    AuditNote {
        id: crate::seams::SystemIds.uuid(),
        at: SystemClock.now(),
        action,
        actor: pitboss_schema::AuditActor {
            kind,
            id: who.to_owned(),
            person: None,
            address: None,
        },
        subject,
        detail,
    }
}

#[cfg(test)]
mod tests {
    use pitboss_wallet::Timestamp;

    use super::*;

    fn row() -> ProviderRow {
        ProviderRow {
            id: ProviderId::new("acme").unwrap(),
            dialect: "native".to_owned(),
            name: "Acme".to_owned(),
            policy: Policy::default(),
            settings: ProviderSettings::new(),
            secret: Vec::new(),
            old_secret: None,
            status: ProviderStatus::Active,
            allowed_addresses: Vec::new(),
            callback_log: Some(CallbackLogMode::All),
            revision: 3,
            used_at: None,
            created_at: Timestamp::from_micros(0),
        }
    }

    fn change(text: &str) -> AccountChange {
        serde_json::from_str(text).unwrap()
    }

    fn asked(row: &ProviderRow, change: &AccountChange) -> Result<ProviderChange, AccountError> {
        wanted(row, change, row.settings.clone(), None)
    }

    #[test]
    fn what_is_not_there_stays_and_null_is_the_servers_own() {
        let row = row();
        let to = asked(&row, &change("{}")).unwrap();
        assert_eq!(
            (to.callback_log, to.needs_unused),
            (row.callback_log, false)
        );
        let to = asked(&row, &change(r#"{"callback_log":null}"#)).unwrap();
        assert_eq!(to.callback_log, None);
    }

    #[test]
    fn an_account_is_closed_from_disabled_alone() {
        let mut row = row();
        let close = change(r#"{"status":"closed"}"#);
        assert!(matches!(asked(&row, &close), Err(AccountError::InUse(_))));
        row.status = ProviderStatus::Disabled;
        assert!(asked(&row, &close).unwrap().needs_settled);
        row.status = ProviderStatus::Closed;
        assert!(!asked(&row, &close).unwrap().needs_settled);
    }

    #[test]
    fn what_stored_keys_are_made_by_is_fixed_once_there_are_some() {
        let mut row = row();
        let scope = change(r#"{"policy":{"round_scope":"game"}}"#);
        assert!(asked(&row, &scope).unwrap().needs_unused);
        row.used_at = Some(Timestamp::from_micros(1));
        let refused = asked(&row, &scope).unwrap_err();
        assert!(matches!(refused, AccountError::Locked("round_scope")));
        let same = change(r#"{"policy":{"round_scope":"provider","late_win":"refuse"}}"#);
        assert!(!asked(&row, &same).unwrap().needs_unused);
    }
}
