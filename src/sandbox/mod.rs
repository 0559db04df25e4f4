//! The sandbox: everything on one machine, for trying things out. A private Postgres and a private
//! nats-server run as children; data survives a restart.

mod connection;
mod seed;

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Args;
use pitboss_services::{Nats, NatsOptions, Postgres, PostgresOptions};
use pitboss_wallet::Environment;

use connection::Pids;
pub use connection::{
    CONNECTION_FILE, Connection, ConnectionError, NatsConnection, ProviderConnection,
};
use seed::Secrets;

use crate::{
    cli::{self, Exit},
    config::Config,
    nats,
    server::{Server, stop_signal},
    telemetry,
    vault::Vault,
    world::open_store,
};

const DATABASE: &str = "pitboss_sandbox";
const API_PORT: u16 = 8080;
const ADMIN_PORT: u16 = 9090;

/// Options of `pitboss sandbox`.
#[derive(Args)]
pub struct SandboxOptions {
    /// Where its data, its logs and `connection.json` are kept.
    #[arg(long, value_name = "FOLDER", default_value = ".sandbox")]
    data: PathBuf,
    /// Throws the data of earlier runs away first.
    #[arg(long)]
    fresh: bool,
    /// Port of the API and the stream [default: 8080, or a free one]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// Port of metrics and health [default: 9090, or a free one]
    #[arg(long, value_name = "PORT")]
    admin_port: Option<u16>,
    /// Port of Postgres [default: a free one, kept]
    #[arg(long, value_name = "PORT")]
    postgres_port: Option<u16>,
    /// Port of nats-server [default: a free one, kept]
    #[arg(long, value_name = "PORT")]
    nats_port: Option<u16>,
    /// Settings laid over the defaults, as for `pitboss serve`; connections are the sandbox's own.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Runs the sandbox until it is asked to stop.
///
/// # Errors
/// What went wrong, for the person at the terminal.
pub async fn run(options: SandboxOptions) -> Result<ExitCode, Exit> {
    let mut config = Config::load(options.config.as_deref()).map_err(|error| Exit {
        text: error.to_string(),
        code: 64,
    })?;
    telemetry::start_logs(&config.log).map_err(|text| Exit { text, code: 64 })?;
    let metrics = telemetry::start_metrics().map_err(|text| Exit { text, code: 1 })?;
    let stop = stop_signal()?;
    tokio::pin!(stop);

    if options.fresh {
        let data = options.data.clone();
        tokio::task::spawn_blocking(move || pitboss_services::remove_data(&data)).await??;
    }
    make_folder(&options.data)?;
    let data = options.data.canonicalize()?;
    let secrets = Secrets::read_or_make(&data.join("secrets.json"))?;

    let api = listen(options.port, API_PORT)?;
    let admin = listen(options.admin_port, ADMIN_PORT)?;
    for (environment, password) in [
        (
            &mut config.environments.sandbox,
            &secrets.nats_sandbox_password,
        ),
        (&mut config.environments.live, &secrets.nats_live_password),
    ] {
        environment.nats_password = password.clone().into();
    }
    config.environments.sandbox.nats_user = Environment::Sandbox.to_string();
    config.environments.live.nats_user = Environment::Live.to_string();
    let accounts =
        Environment::ALL.map(|environment| (environment, config.connections(environment)));
    let accounts = nats::accounts(accounts);
    let services = async {
        eprintln!(
            "Starting Postgres and nats-server in {} ...",
            options.data.display()
        );
        let postgres = PostgresOptions::new(data.join("postgres")).port(options.postgres_port);
        let postgres = Postgres::start(postgres).await?;
        postgres.create_database(DATABASE).await?;
        let mut nats = NatsOptions::new(data.join("nats")).port(options.nats_port);
        nats.accounts = accounts;
        Ok::<_, Exit>((postgres, Nats::start(nats).await?))
    };
    let (mut postgres, mut nats_server) = tokio::select! {
        services = services => services?,
        // What was started by now ends as it is dropped.
        () = &mut stop => return Ok(ExitCode::SUCCESS),
    };

    let api_address = api.local_addr()?;
    let admin_address = admin.local_addr()?;
    config.server.api_address = api_address;
    config.server.admin_address = admin_address;
    config.server.public_url = format!("http://{api_address}");
    config.security.master_key = secrets.master_key.clone().into();
    let sandbox = &mut config.environments.sandbox;
    sandbox.enabled = true;
    sandbox.postgres_url = postgres.url(DATABASE).into();
    sandbox.nats_url = nats_server.url();
    config.environments.live.enabled = false;
    config.check_complete().map_err(|error| Exit {
        text: error.to_string(),
        code: 64,
    })?;

    let config = Arc::new(config);
    let store = open_store(&config, &config.environments.sandbox)?;
    store.migrate(config.journal.lanes).await?;
    store.name_environment(Environment::Sandbox).await?;
    let vault = Vault::new(&config.security.master_key)?;
    seed::catalogue(&store, &vault, &config, &secrets).await?;
    let server = Server::start(config.clone(), api, admin, metrics).await?;
    let players = seed::players(&server).await?;

    let connection = Connection {
        api: format!("http://{api_address}"),
        admin: format!("http://{admin_address}"),
        stream: format!("ws://{api_address}/v1/stream"),
        postgres: postgres.url(DATABASE),
        nats: NatsConnection {
            url: nats_server.url(),
            user: config.environments.sandbox.nats_user.clone(),
            password: secrets.nats_sandbox_password.clone(),
        },
        operator_key: secrets.operator_key.clone(),
        second_operator_key: secrets.second_operator_key.clone(),
        providers: vec![ProviderConnection {
            id: seed::PROVIDER.into(),
            dialect: "native".into(),
            secret: secrets.provider_secret.clone(),
        }],
        players,
        pids: Pids {
            server: std::process::id(),
            postgres: postgres.pid(),
            nats: nats_server.pid(),
        },
    };
    let file = data.join("connection.json");
    connection.write(&file)?;
    print_ready(&connection, &options.data.join("connection.json"));

    stop.await;
    eprintln!("Stopping ...");
    let ended = server.stop().await;
    // Programs must not take a stopped sandbox for a running one.
    let _ = std::fs::remove_file(&file);
    nats_server.stop().await;
    postgres.stop().await;
    eprintln!("Stopped. The data is kept in {}.", options.data.display());
    Ok(cli::exit_code(ended))
}

fn print_ready(connection: &Connection, file: &Path) {
    let Connection {
        api,
        admin,
        stream,
        nats,
        operator_key,
        second_operator_key,
        providers,
        players,
        ..
    } = connection;
    println!();
    println!("Pitboss sandbox is ready.");
    println!();
    println!("  API           {api}   (documents: {api}/docs)");
    println!("  Stream        {stream}");
    println!("  Metrics       {admin}/metrics");
    println!(
        "  NATS          {}   user {}, password {}",
        nats.url, nats.user, nats.password
    );
    println!("  Operator key  {operator_key}");
    println!("  Second key    {second_operator_key}   (another person's)");
    for ProviderConnection {
        id,
        dialect,
        secret,
    } in providers
    {
        println!("  Provider      {id} ({dialect}), callback secret {secret}");
        println!(
            "                {api}/callbacks/{}/{id}/...",
            Environment::Sandbox
        );
    }
    println!("  Players       {}", players.join(", "));
    println!("  For programs  {}", file.display());
    println!();
    println!("Take the tour in another terminal: pitboss demo     Ctrl-C stops everything.");
}

/// The wished port or nothing; without a wish the usual one, or any that is free.
fn listen(wished: Option<u16>, usual: u16) -> Result<TcpListener, Exit> {
    let address = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    if let Some(port) = wished {
        return cli::bind("port", address(port));
    }
    match TcpListener::bind(address(usual)) {
        Ok(listener) => Ok(listener),
        Err(_) => cli::bind("port", address(0)),
    }
}

/// Others may pass through (an unprivileged Postgres has to), but not look inside.
fn make_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(folder)?;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o711))
}
