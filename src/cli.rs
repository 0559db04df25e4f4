//! The command line.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    process::ExitCode,
    sync::Arc,
};

use clap::{Args, Parser, Subcommand, ValueEnum};
use pitboss_schema::Store;
use pitboss_wallet::{Environment, PlayerId, Timestamp};

use crate::{
    accounts::command::{self as accounts, ProvidersCommand},
    audit, bus,
    cli_keys::{self, KeysCommand},
    config::Config,
    demo,
    sandbox::{self, Connection, SandboxOptions},
    server::{Ended, Server, stop_signal},
    simulate::{SimulateArgs, simulate},
    telemetry, tls,
    world::open_store,
};

/// `sysexits.h`: the configuration is wrong, or the command line is.
const EXIT_USAGE: u8 = 64;

/// An open casino platform server: the players' wallets, providers' callbacks, streams and events.
#[derive(Parser)]
#[command(name = "pitboss", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs everything on this machine: a private Postgres, a private nats-server and the server, seeded.
    Sandbox(SandboxOptions),
    /// Runs the server against a Postgres and a NATS that you run.
    Serve(ConfigFile),
    /// Creates or upgrades the database of each enabled environment.
    Migrate(ConfigFile),
    /// Recomputes the invariants from the ledger; exits 1 on a breach.
    Audit(AuditArgs),
    /// A tour of the seamless wallet against a running sandbox.
    Demo(ConnectionFile),
    /// A provider of any dialect, against a running server: each case of its protocol, expected and got.
    Simulate(SimulateArgs),
    /// Operator keys.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Provider accounts.
    #[command(subcommand)]
    Providers(ProvidersCommand),
    /// The event bus.
    #[command(subcommand)]
    Bus(BusCommand),
}

#[derive(Args)]
pub struct ConfigFile {
    /// Laid over the defaults; the environment (PITBOSS__SECTION__KEY) is laid over both.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
struct ConnectionFile {
    /// Written by `pitboss sandbox`.
    #[arg(long, value_name = "FILE", default_value = ".sandbox/connection.json")]
    connection: PathBuf,
}

/// Which databases.
#[derive(Args)]
struct DatabaseArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// That of a running sandbox instead, by its connection file. Taken when there is one and no --config.
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    connection: Option<PathBuf>,
}

#[derive(Args)]
struct AuditArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Check this player only: quick, however long the ledger is.
    #[arg(long, value_name = "ID", value_parser = player_id)]
    player: Option<PlayerId>,
}

fn player_id(text: &str) -> Result<PlayerId, String> {
    PlayerId::new(text).map_err(|error| error.to_string())
}

#[derive(Clone, Copy, ValueEnum)]
pub enum EnvironmentName {
    Sandbox,
    Live,
}

impl From<EnvironmentName> for Environment {
    fn from(name: EnvironmentName) -> Self {
        match name {
            EnvironmentName::Sandbox => Self::Sandbox,
            EnvironmentName::Live => Self::Live,
        }
    }
}

#[derive(Subcommand)]
enum BusCommand {
    /// Publishes events again, from the database: a running server does it, or the next one that starts.
    Replay {
        #[command(flatten)]
        target: DatabaseArgs,
        /// Of this environment alone.
        #[arg(long, value_enum)]
        environment: Option<EnvironmentName>,
        /// Only events of this time and later [default: all that are kept]
        #[arg(long, value_name = "RFC3339", value_parser = bus::parse_time)]
        since: Option<Timestamp>,
    },
    /// Prints the accounts and users of the enabled environments for your nats-server's configuration.
    Config(ConfigFile),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { EXIT_USAGE } else { 0 };
            // Nowhere to tell it when even this cannot be printed.
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    let system = actix::System::new();
    match system.block_on(run(cli.command)) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("pitboss: {}", failure.text);
            ExitCode::from(failure.code)
        }
    }
}

/// What ends the program: a text for the person, and an exit code.
pub struct Exit {
    pub text: String,
    pub code: u8,
}

impl Exit {
    /// The command line, or the configuration, is wrong.
    pub fn usage(error: impl std::fmt::Display) -> Self {
        Self {
            text: error.to_string(),
            code: EXIT_USAGE,
        }
    }
}

impl<E: std::error::Error> From<E> for Exit {
    fn from(error: E) -> Self {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text = format!("{text}: {more}");
            }
            cause = error.source();
        }
        Self { text, code: 1 }
    }
}

async fn run(command: Command) -> Result<ExitCode, Exit> {
    match command {
        Command::Sandbox(options) => sandbox::run(options).await,
        Command::Serve(file) => serve(&file).await,
        Command::Migrate(file) => migrate(&file).await,
        Command::Audit(args) => audit(&args).await,
        Command::Demo(file) => demo(&file).await,
        Command::Simulate(args) => simulate(args).await,
        Command::Bus(BusCommand::Replay {
            target,
            environment,
            since,
        }) => replay(&target, environment.map(Into::into), since).await,
        Command::Bus(BusCommand::Config(file)) => {
            println!("{}", bus::config(&*complete(&file)?)?);
            Ok(ExitCode::SUCCESS)
        }
        Command::Keys(command) => {
            cli_keys::run(command).await?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Providers(command) => accounts::run(command).await,
    }
}

/// The configuration, once it is whole.
///
/// # Errors
/// What is wrong with it.
pub fn complete(file: &ConfigFile) -> Result<Arc<Config>, Exit> {
    let config = Config::load(file.config.as_deref()).map_err(Exit::usage)?;
    config.check_complete().map_err(Exit::usage)?;
    telemetry::start_logs(&config.log).map_err(Exit::usage)?;
    Ok(Arc::new(config))
}

/// The connections of an environment that is enabled.
///
/// # Errors
/// It is not.
pub fn enabled(
    config: &Config,
    environment: Environment,
) -> Result<&crate::config::Connections, Exit> {
    let connections = config.connections(environment);
    if !connections.enabled {
        return Err(Exit::usage(format!(
            "environments.{environment}.enabled = false: must be true"
        )));
    }
    Ok(connections)
}

async fn serve(file: &ConfigFile) -> Result<ExitCode, Exit> {
    let config = complete(file)?;
    tls::check(&config.server).map_err(Exit::usage)?;
    let metrics = telemetry::start_metrics().map_err(|text| Exit { text, code: 1 })?;
    let stop = stop_signal()?;
    let api = bind("server.api_address", config.server.api_address)?;
    let admin = bind("server.admin_address", config.server.admin_address)?;
    let server = Server::start(config.clone(), api, admin, metrics).await?;
    tracing::info!(api = %config.server.api_address, admin = %config.server.admin_address, "ready");
    stop.await;
    Ok(exit_code(server.stop().await))
}

/// Graceful or forced, for whoever started the program.
#[must_use]
pub fn exit_code(ended: Ended) -> ExitCode {
    match ended {
        Ended::Gracefully => ExitCode::SUCCESS,
        Ended::Forced => ExitCode::from(3),
    }
}

/// Binds a listener, and says which setting is to be changed when that fails.
///
/// # Errors
/// The address is taken, or not ours.
pub fn bind(key: &str, address: SocketAddr) -> Result<TcpListener, Exit> {
    TcpListener::bind(address).map_err(|error| Exit {
        text: format!("{key} = {address}: {error}"),
        code: 1,
    })
}

async fn migrate(file: &ConfigFile) -> Result<ExitCode, Exit> {
    let config = complete(file)?;
    for (environment, connections) in config.enabled() {
        let store = open_store(&config, connections)?;
        let install = store.migrate(config.journal.lanes).await?;
        store.name_environment(environment).await?;
        println!(
            "{environment}: at schema version {}, {} lanes",
            pitboss_schema::SCHEMA_VERSION,
            install.lanes
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// The databases that a command is about: those of a configuration, or that of a running sandbox.
fn stores(args: &DatabaseArgs) -> Result<Vec<(Environment, Store)>, Exit> {
    if args.config.config.is_some() {
        let config = complete(&args.config)?;
        let stores = config
            .enabled()
            .map(|(environment, connections)| Ok((environment, open_store(&config, connections)?)));
        return stores.collect();
    }
    let default = PathBuf::from(sandbox::CONNECTION_FILE);
    let file = args.connection.as_ref().unwrap_or(&default);
    let connection = Connection::read(file).map_err(Exit::usage)?;
    Ok(vec![(Environment::Sandbox, connection.store()?)])
}

async fn audit(args: &AuditArgs) -> Result<ExitCode, Exit> {
    let (mut holds, mut found) = (true, false);
    for (environment, store) in &stores(&args.database)? {
        let audited = match &args.player {
            None => Some(audit::run(*environment, store).await?),
            Some(player) => audit::run_player(*environment, store, player).await?,
        };
        if let Some((all_holds, table)) = audited {
            println!("{table}");
            holds &= all_holds;
            found = true;
        }
    }
    match &args.player {
        Some(player) if !found => Err(Exit::usage(format!("there is no player {player}"))),
        _ if holds => Ok(ExitCode::SUCCESS),
        _ => Ok(ExitCode::FAILURE),
    }
}

async fn replay(
    args: &DatabaseArgs,
    only: Option<Environment>,
    since: Option<Timestamp>,
) -> Result<ExitCode, Exit> {
    let mut stores = stores(args)?;
    stores.retain(|(environment, _)| only.is_none_or(|only| only == *environment));
    if stores.is_empty() {
        return Err(Exit::usage("this environment is not enabled"));
    }
    for (environment, store) in stores {
        println!("{}", bus::replay(environment, &store, since).await?);
    }
    Ok(ExitCode::SUCCESS)
}

async fn demo(file: &ConnectionFile) -> Result<ExitCode, Exit> {
    let connection = Connection::read(&file.connection).map_err(Exit::usage)?;
    let store = connection.store()?;
    let holds = demo::run(&connection, async || {
        audit::run(Environment::Sandbox, &store).await
    })
    .await?;
    Ok(if holds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
