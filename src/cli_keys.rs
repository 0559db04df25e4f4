//! `pitboss keys`: the first key of an environment, and whatever is to be done without one.

use std::fmt::Write;

use clap::{Args, Subcommand};
use pitboss_actors::ports::Clock;
use pitboss_schema::{AuditAction, NewKey, OperatorKeyRow, Rate, Store};
use pitboss_wallet::{Environment, Timestamp};
use serde_json::json;
use uuid::Uuid;

use crate::{
    access::{Networks, Scopes},
    bus,
    cli::{ConfigFile, EnvironmentName, Exit, complete, enabled},
    config::Config,
    keys,
    seams::SystemClock,
    tokens::{self, TokenKind},
    world::open_store,
};

/// Keys that are read at once for the table.
const PAGE: u32 = 500;

#[derive(Subcommand)]
pub enum KeysCommand {
    /// Makes an operator key and shows it once.
    Create(Box<Create>),
    /// Shows the operator keys of an environment, newest first.
    List(Target),
    /// Revokes an operator key, at once and for ever.
    Revoke {
        #[command(flatten)]
        target: Target,
        /// Which one, as `list` shows it.
        #[arg(long)]
        id: Uuid,
        /// Why, for the audit log.
        #[arg(long)]
        reason: Option<String>,
    },
}

#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    config: ConfigFile,
    #[arg(long, value_enum)]
    environment: EnvironmentName,
}

#[derive(Args)]
pub struct Create {
    #[command(flatten)]
    target: Target,
    /// What the key is for.
    #[arg(long)]
    name: String,
    /// Whom it is for: two keys for one person are one person [default: the name]
    #[arg(long)]
    person: Option<String>,
    /// What it may do, such as players:read,deposits:write.
    #[arg(long, value_delimiter = ',', default_value = "*")]
    scopes: Vec<String>,
    /// When it ends [default: never]
    #[arg(long, value_name = "RFC3339", value_parser = bus::parse_time)]
    expires: Option<Timestamp>,
    /// Networks from which it may be used, such as 192.0.2.0/24 [default: any]
    #[arg(long, value_name = "CIDR", value_delimiter = ',')]
    allow: Vec<String>,
    /// Requests a second and, after a colon, at once [default: as configured]
    #[arg(long, value_name = "PER_S:BURST", value_parser = parse_rate)]
    rate: Option<Rate>,
}

fn parse_rate(text: &str) -> Result<Rate, String> {
    let numbers = text.split_once(':').and_then(|(per_s, burst)| {
        let number = |text: &str| text.parse().ok().filter(|n| (1..=1_000_000).contains(n));
        Some(Rate {
            per_s: number(per_s)?,
            burst: number(burst)?,
        })
    });
    numbers.ok_or_else(|| "must be two numbers from 1 to 1000000, such as 100:200".to_owned())
}

/// Carries a command out.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub async fn run(command: KeysCommand) -> Result<(), Exit> {
    match command {
        KeysCommand::Create(create) => make(*create).await,
        KeysCommand::List(target) => {
            let (store, environment, _) = open(&target).await?;
            println!("{}", list(&store, environment).await?);
            Ok(())
        }
        KeysCommand::Revoke { target, id, reason } => {
            let (store, environment, _) = open(&target).await?;
            revoke(&store, environment, id, reason).await
        }
    }
}

async fn open(target: &Target) -> Result<(Store, Environment, Config), Exit> {
    let config = complete(&target.config)?;
    let environment = target.environment.into();
    let store = open_store(&config, enabled(&config, environment)?)?;
    store.check_installed().await?;
    store.name_environment(environment).await?;
    Ok((store, environment, (*config).clone()))
}

async fn make(create: Create) -> Result<(), Exit> {
    let (store, environment, config) = open(&create.target).await?;
    let person = create.person.unwrap_or_else(|| create.name.clone());
    if create.name.trim().is_empty() || person.trim().is_empty() {
        return Err(Exit::usage("--name and --person must not be empty"));
    }
    if create.expires.is_some_and(|end| end <= SystemClock.now()) {
        return Err(Exit::usage("--expires must lie in the future"));
    }
    let secret = tokens::new_token(TokenKind::OperatorKey, environment)?;
    let key = NewKey {
        scopes: Scopes::parse(&create.scopes).map_err(Exit::usage)?.names(),
        allowed: Networks::parse(&create.allow).map_err(Exit::usage)?.names(),
        rate: create.rate,
        expires_at: create.expires,
        ..keys::unrestricted(&secret, create.name.trim(), person.trim())
    };
    keys::keep_operator_key(&store, &key, config.keys.live_max).await?;
    println!("{secret}");
    eprintln!("This key is shown once: keep it. It opens the REST API of {environment}.");
    Ok(())
}

async fn list(store: &Store, environment: Environment) -> Result<String, Exit> {
    let mut text = format!("Operator keys of {environment}\n");
    let head = [
        "id",
        "prefix",
        "state",
        "person",
        "name",
        "scopes",
        "last used",
    ];
    let mut rows = vec![head.map(str::to_owned)];
    let mut after = None;
    let now = SystemClock.now();
    loop {
        let page = store.operator_keys(after, PAGE).await?;
        rows.extend(page.iter().map(|row| cells(row, now)));
        match page.last() {
            Some(last) if page.len() == PAGE as usize => after = Some(last.id),
            _ => break,
        }
    }
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| width(column).unwrap_or(0))
        .collect();
    for row in &rows {
        let cells = row
            .iter()
            .zip(&widths)
            .map(|(cell, &width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = write!(text, "{} keys", rows.len() - 1);
    Ok(text)
}

fn cells(row: &OperatorKeyRow, now: Timestamp) -> [String; 7] {
    let state = match (row.revoked_at, row.expires_at) {
        (Some(_), _) => "revoked".to_owned(),
        (None, Some(end)) if end <= now => "expired".to_owned(),
        (None, Some(end)) => format!("until {end}"),
        (None, None) => "live".to_owned(),
    };
    let used = match (row.last_used_at, &row.last_used_address) {
        (Some(at), Some(address)) => format!("{at} from {address}"),
        (Some(at), None) => at.to_string(),
        (None, _) => "never".to_owned(),
    };
    [
        row.id.to_string(),
        row.prefix.clone(),
        state,
        row.person.clone(),
        row.name.clone(),
        row.scopes.join(","),
        used,
    ]
}

async fn revoke(
    store: &Store,
    environment: Environment,
    id: Uuid,
    reason: Option<String>,
) -> Result<(), Exit> {
    let row = store.operator_key_by_id(id).await?;
    let row = row.ok_or_else(|| Exit::usage(format!("{environment} has no key {id}")))?;
    let detail =
        json!({ "prefix": row.prefix, "name": row.name, "person": row.person, "reason": reason });
    let note = keys::note(AuditAction::KeyRevoked, keys::subject(id), detail);
    let revoked = store
        .revoke_operator_key(id, SystemClock.now(), None, &note)
        .await?;
    if revoked {
        println!("{} ({}) is revoked.", row.prefix, row.name);
    } else {
        println!("{} ({}) was revoked before.", row.prefix, row.name);
    }
    Ok(())
}
