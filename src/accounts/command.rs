//! `pitboss providers`: the accounts, from the command line. A running server takes changes up within seconds.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::{Args, Subcommand};
use pitboss_schema::{ProviderSettings, ProviderStatus};
use pitboss_wallet::{Environment, PolicyChange, ProviderId};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{AccountChange, AccountError, Accounts, NewAccount, note_of, request};
use crate::{
    cli::{ConfigFile, EnvironmentName, Exit, complete, enabled},
    vault::Vault,
    world::open_store,
};

/// Accounts that are read at once for the list.
const PAGE: u32 = 200;

#[derive(Args)]
pub struct Place {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(long, value_enum)]
    environment: EnvironmentName,
}

#[derive(Args)]
pub struct One {
    #[command(flatten)]
    place: Place,
    /// The account's id.
    #[arg(long)]
    id: String,
}

#[derive(Subcommand)]
pub enum ProvidersCommand {
    /// Makes a provider account and shows its callback secret once.
    Create {
        #[command(flatten)]
        place: Place,
        /// The account's id, which is part of its callback URL.
        #[arg(long)]
        id: String,
        /// For people [default: the id]
        #[arg(long)]
        name: Option<String>,
        /// The wire format that the provider speaks.
        #[arg(long, default_value = "native")]
        dialect: String,
        /// A choice that differs from the dialect's default, such as late_win=refuse; may be repeated.
        #[arg(long, value_name = "FLAG=VALUE")]
        policy: Vec<String>,
        /// A setting of the dialect, such as header=X-Auth-Signature; may be repeated.
        #[arg(long, value_name = "NAME=VALUE")]
        setting: Vec<String>,
        /// A file with the secret or the public key that the provider gives [default: a secret is made]
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
        /// An address or network that callbacks may come from; may be repeated [default: anywhere]
        #[arg(long, value_name = "CIDR")]
        allow: Vec<String>,
    },
    /// Lists the provider accounts.
    List(Place),
    /// Gives an account a new callback secret and shows it once; the old one is valid for a while.
    Rotate {
        #[command(flatten)]
        one: One,
        /// How long the old secret is valid, in seconds [default: providers.grace_s]
        #[arg(long, value_name = "SECONDS")]
        grace_s: Option<i64>,
        /// A file with the secret or the public key that the provider gives [default: a secret is made]
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// Takes no more bets and launches from an account; what is open is settled.
    Disable(One),
    /// Takes bets from an account again.
    Enable(One),
}

/// Runs a command.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub async fn run(command: ProvidersCommand) -> Result<ExitCode, Exit> {
    match command {
        ProvidersCommand::Create {
            place,
            id,
            name,
            dialect,
            policy,
            setting,
            secret_file,
            allow,
        } => {
            let new = NewAccount {
                name,
                dialect,
                policy: choices(&policy)?,
                settings: settings(&setting)?,
                secret: secret_file.as_deref().map(given).transpose()?,
                allowed_addresses: allow,
                ..NewAccount::of(provider_id(&id)?)
            };
            create(&place, new).await
        }
        ProvidersCommand::List(place) => list(&place).await,
        ProvidersCommand::Rotate {
            one,
            grace_s,
            secret_file,
        } => rotate(&one, grace_s, secret_file.as_deref()).await,
        ProvidersCommand::Disable(one) => set_status(&one, ProviderStatus::Disabled).await,
        ProvidersCommand::Enable(one) => set_status(&one, ProviderStatus::Active).await,
    }
}

/// Does something with the accounts of a place, under the name of the person at the terminal.
async fn with<T>(
    place: &Place,
    work: impl AsyncFnOnce(Accounts<'_>, &str) -> Result<T, AccountError>,
) -> Result<T, Exit> {
    let config = complete(&place.config)?;
    let environment = Environment::from(place.environment);
    let store = open_store(&config, enabled(&config, environment)?)?;
    let vault = Vault::new(&config.security.master_key)?;
    let who = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    let accounts = Accounts {
        store: &store,
        vault: &vault,
        limits: &config.providers,
        note: &|action, subject, detail| note_of("command_line", &who, action, subject, detail),
    };
    let api = config.server.public_url.trim_end_matches('/');
    let callbacks = format!("{api}/callbacks/{environment}");
    Ok(work(accounts, &callbacks).await?)
}

async fn create(place: &Place, new: NewAccount) -> Result<ExitCode, Exit> {
    let id = new.id.clone();
    with(place, async |accounts, callbacks| {
        let manual = match new.dialect.as_str() {
            "native" => "/docs/callbacks",
            _ => "/docs/providers",
        };
        let (row, secret) = accounts.create(new).await?;
        match secret {
            Some(secret) => {
                println!("{secret}");
                eprintln!("This secret is shown once. What to do next:");
                eprintln!("1. Give it to the provider. The manual of its callbacks: {manual}");
            }
            None => {
                eprintln!(
                    "{} is made, with the secret that was given. What to do next:",
                    row.id
                );
                eprintln!("1. Read what the provider has to know: {manual}");
            }
        }
        eprintln!("2. Tell the provider where to send them: {callbacks}/{id}/<action>");
        eprintln!("3. Add the provider's games to the catalogue.");
        eprintln!("4. See what becomes of its requests: GET /v1/providers/{id}/callbacks");
        Ok(ExitCode::SUCCESS)
    })
    .await
}

async fn list(place: &Place) -> Result<ExitCode, Exit> {
    with(place, async |accounts, _| {
        println!("{:<24} {:<10} {:<10} name", "id", "status", "dialect");
        let mut after: Option<ProviderId> = None;
        loop {
            let page = accounts.store.provider_page(after.as_ref(), PAGE).await?;
            for row in &page {
                let status = row.status.as_str();
                println!(
                    "{:<24} {status:<10} {:<10} {}",
                    row.id.as_str(),
                    row.dialect,
                    row.name
                );
            }
            match page.last() {
                Some(row) => after = Some(row.id.clone()),
                None => return Ok(ExitCode::SUCCESS),
            }
        }
    })
    .await
}

async fn rotate(
    one: &One,
    grace_s: Option<i64>,
    secret_file: Option<&Path>,
) -> Result<ExitCode, Exit> {
    let id = provider_id(&one.id)?;
    let secret = secret_file.map(given).transpose()?;
    with(&one.place, async |accounts, _| {
        let (row, secret) = accounts.rotate(&id, grace_s, secret).await?;
        match secret {
            Some(secret) => {
                println!("{secret}");
                eprintln!("This secret is shown once: give it to the provider.");
            }
            None => eprintln!("{id} has the secret that was given."),
        }
        match row.old_secret {
            Some((_, until)) => eprintln!("The old one is valid until {until}."),
            None => eprintln!("The old one is valid no more."),
        }
        Ok(ExitCode::SUCCESS)
    })
    .await
}

async fn set_status(one: &One, status: ProviderStatus) -> Result<ExitCode, Exit> {
    let id = provider_id(&one.id)?;
    let change = AccountChange {
        status: Some(status),
        ..AccountChange::default()
    };
    with(&one.place, async |accounts, _| {
        let row = accounts.change(&id, &change).await?;
        println!("{id}: {}", row.status.as_str());
        Ok(ExitCode::SUCCESS)
    })
    .await
}

fn provider_id(text: &str) -> Result<ProviderId, Exit> {
    ProviderId::new(text).map_err(|error| Exit::usage(format!("--id: {error}")))
}

/// `header=X-Sign` and the like.
fn settings(texts: &[String]) -> Result<ProviderSettings, Exit> {
    let mut settings = ProviderSettings::new();
    for text in texts {
        let wrong = || {
            Exit::usage(format!(
                "--setting {text}: must be NAME=VALUE, each name once"
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        if settings.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(wrong());
        }
    }
    Ok(settings)
}

/// A secret in a file: the line's end is the editor's.
fn given(file: &Path) -> Result<SecretString, Exit> {
    let text = std::fs::read_to_string(file);
    let text =
        text.map_err(|error| Exit::usage(format!("--secret-file {}: {error}", file.display())))?;
    Ok(text.trim_end().into())
}

/// `late_win=refuse` and the like, as the REST API has them in a body.
fn choices(texts: &[String]) -> Result<PolicyChange, Exit> {
    let mut fields = Map::new();
    for text in texts {
        let wrong = || {
            Exit::usage(format!(
                "--policy {text}: must be FLAG=VALUE, each flag once"
            ))
        };
        let (name, value) = text.split_once('=').ok_or_else(wrong)?;
        // A number, true, false and null are themselves; everything else is a text.
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        if fields.insert(name.to_owned(), value).is_some() {
            return Err(wrong());
        }
    }
    request::choices(fields).map_err(|error| Exit::usage(format!("--policy {error}")))
}
