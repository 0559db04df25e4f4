//! A casino to break: Postgres, nats-server and servers of our own, with a relay on every line between them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use pitboss_services::{
    Nats, NatsAccount, NatsOptions, Postgres, PostgresOptions, ScratchDir, free_port,
};
use tokio::sync::Mutex;

use super::{
    node::{Launch, Node, faketime, write_offset},
    proxy::Proxy,
    scenario::{Line, Scenario, Weather},
};
use crate::{
    database,
    error::{Error, Result},
    random::mix,
    target::{Pids, Provider, Target},
};

pub const PROVIDER: &str = "acme";
pub const GAME: &str = "dice";
const DATABASE: &str = "casino";
const NATS_USER: &str = "sandbox";
const NATS_PASSWORD: &str = "pass";
const MASTER_KEY: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0";

/// Everything is impatient and forgetful, so that in a short run much happens: small caches, short leases and
/// time-outs.
const SETTINGS: &str = r#"
[server]
shutdown_s = 20
[postgres]
wait_ms = 1000
statement_timeout_ms = 2000
[players]
patience_ms = 4000
idle_s = 1
cache_rounds = 4
cache_transactions = 4
[journal]
commit_timeout_ms = 2500
[bridge]
lease_s = 3
retry_ms = 100
[nats]
ack_timeout_ms = 700
[stream]
heartbeat_s = 2
idle_timeout_s = 6
[sessions]
player_idle_s = 86400
game_idle_s = 86400
[sweeper]
every_ms = 500
[log]
level = "warn"
"#;

/// Makes every so many commits fail, at the very end of the transaction, as a full disk does.
const REFUSE_COMMITS: &str = include_str!("../../queries/refuse_commits.sql");

pub struct Casino {
    pub postgres: Mutex<Postgres>,
    pub nats: Mutex<Nats>,
    pub nodes: Vec<Mutex<Node>>,
    pub clients: Vec<Proxy>,
    pub database: Proxy,
    pub bus: Proxy,
    pub operator_key: String,
    pub provider_secret: String,
    /// Past all relays.
    pub postgres_url: String,
    pub nats_port: u16,
    store: PathBuf,
    // Last: what lives in it ends before it goes.
    _scratch: ScratchDir,
}

impl Casino {
    /// Starts all of it, and returns when it is ready. The servers' logs go to `logs`, or away with everything
    /// else. To be called inside a `LocalSet`.
    pub async fn start(
        program: &Path,
        scenario: Scenario,
        seed: u64,
        logs: Option<&Path>,
    ) -> Result<Self> {
        let scratch = ScratchDir::new("faults")?;
        let nats = NatsOptions::new(scratch.join("nats")).account(NatsAccount::new(
            "SANDBOX",
            NATS_USER,
            NATS_PASSWORD,
        ));
        let postgres = PostgresOptions::for_tests(scratch.join("postgres"));
        let (postgres, nats) = tokio::try_join!(Postgres::start(postgres), Nats::start(nats))?;
        postgres.create_database(DATABASE).await?;
        let database = Proxy::start(postgres.port(), mix(seed ^ 1)).await?;
        let bus = Proxy::start(nats.port(), mix(seed ^ 2)).await?;
        let relayed = postgres
            .url(DATABASE)
            .replace(&postgres.port().to_string(), &database.port().to_string());
        let mut casino = Self {
            postgres_url: postgres.url(DATABASE),
            nats_port: nats.port(),
            store: scratch.join("nats").join("jetstream"),
            postgres: Mutex::new(postgres),
            nats: Mutex::new(nats),
            nodes: Vec::new(),
            clients: Vec::new(),
            database,
            bus,
            operator_key: String::new(),
            provider_secret: String::new(),
            _scratch: scratch,
        };
        for number in 0..scenario.nodes() {
            let mut launch = casino.launch(program, number, scenario, &relayed)?;
            if let Some(logs) = logs {
                launch.log = logs.join(format!("{scenario}-{number}.log"));
            }
            let relay = Proxy::start(launch.api, mix(seed ^ (3 + number as u64))).await?;
            casino.clients.push(relay);
            casino.nodes.push(Mutex::new(Node::new(launch)));
        }
        casino.install(program).await?;
        for node in &casino.nodes {
            node.lock().await.ready().await?;
        }
        Ok(casino)
    }

    fn launch(
        &self,
        program: &Path,
        number: usize,
        scenario: Scenario,
        postgres_url: &str,
    ) -> Result<Launch> {
        let port = || free_port().map_err(Error::io("cannot find a free port"));
        let (api, admin) = (port()?, port()?);
        let place = |name: &str| self._scratch.join(&format!("node-{number}.{name}"));
        let text = format!(
            "{SETTINGS}\n[security]\nmaster_key = \"{MASTER_KEY}\"\n[environments.sandbox]\nenabled = true\n\
             postgres_url = \"{postgres_url}\"\nnats_url = \"nats://127.0.0.1:{}\"\nnats_user = \"{NATS_USER}\"\n\
             nats_password = \"{NATS_PASSWORD}\"\n",
            self.bus.port()
        )
        .replace(
            "[server]\n",
            &format!(
                "[server]\napi_address = \"127.0.0.1:{api}\"\nadmin_address = \"127.0.0.1:{admin}\"\n"
            ),
        );
        let config = place("toml");
        fs::write(&config, text).map_err(Error::io("cannot write a configuration"))?;
        let clock = match scenario.moves_clocks() {
            true => {
                let file = place("clock");
                write_offset(&file, 0)?;
                Some((faketime()?, file))
            }
            false => None,
        };
        Ok(Launch {
            program: program.to_owned(),
            config,
            api,
            admin,
            log: place("log"),
            clock,
        })
    }

    /// The database, an operator, a provider account, and a game.
    async fn install(&mut self, program: &Path) -> Result<()> {
        let Some(node) = self.nodes.first() else {
            return Err(Error::given("a casino without a server"));
        };
        let config = node.lock().await.launch.config.clone();
        let run = async |line: &str| command(program, &config, line).await;
        run("migrate").await?;
        self.operator_key = run("keys create --environment sandbox --name faults").await?;
        let account = format!("providers create --environment sandbox --id {PROVIDER}");
        self.provider_secret = run(&account).await?;
        let client = database::connect(&database::config(&self.postgres_url)?).await?;
        let game = "INSERT INTO game (id, provider_id, name, category, enabled) VALUES ($1, $2, $1, 'dice', true)";
        let added = client.execute(game, &[&GAME, &PROVIDER]).await;
        added.map_err(Error::sql("adding a game"))?;
        client
            .batch_execute(REFUSE_COMMITS)
            .await
            .map_err(Error::sql("preparing refused commits"))
    }

    /// The casino as its first server shows it, past the relays: to set things up.
    pub async fn target(&self) -> Result<Target> {
        let Some(node) = self.nodes.first() else {
            return Err(Error::given("a casino without a server"));
        };
        let launch = &node.lock().await.launch;
        Ok(Target {
            api: format!("http://127.0.0.1:{}", launch.api),
            admin: format!("http://127.0.0.1:{}", launch.admin),
            stream: format!("ws://127.0.0.1:{}/v1/stream", launch.api),
            postgres: self.postgres_url.clone(),
            operator_key: self.operator_key.clone(),
            providers: vec![Provider {
                id: PROVIDER.to_owned(),
                dialect: "native".to_owned(),
                secret: self.provider_secret.clone(),
            }],
            pids: Pids {
                server: 0,
                postgres: self.postgres.lock().await.pid(),
                nats: self.nats.lock().await.pid(),
            },
        })
    }

    pub fn set_weather(&self, line: Line, weather: Weather) {
        match line {
            Line::Clients(node) => {
                if let Some(relay) = self.clients.get(node) {
                    relay.set(weather);
                }
            }
            Line::Postgres => self.database.set(weather),
            Line::Nats => self.bus.set(weather),
        }
    }

    /// Fails so many in a hundred commits from now on.
    pub async fn refuse_commits(&self, per_cent: u32) -> Result<()> {
        let client = database::connect(&database::config(&self.postgres_url)?).await?;
        let per_cent = i32::try_from(per_cent).unwrap_or(100);
        let set = client
            .execute(
                "UPDATE fault.refused_commits SET per_cent = $1",
                &[&per_cent],
            )
            .await;
        set.map(drop).map_err(Error::sql("refusing commits"))
    }

    pub async fn kill_nats(&self, down: Duration, lose_store: bool) -> Result<()> {
        let mut nats = self.nats.lock().await;
        nats.kill_immediate().await;
        if lose_store {
            match fs::remove_dir_all(&self.store) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(Error::Io {
                        what: "losing the store of nats-server".to_owned(),
                        source: error,
                    });
                }
                _ => {}
            }
        }
        tokio::time::sleep(down).await;
        Ok(nats.restart().await?)
    }

    pub async fn crash_postgres(&self, down: Duration) -> Result<()> {
        let mut postgres = self.postgres.lock().await;
        postgres.kill_immediate().await;
        tokio::time::sleep(down).await;
        Ok(postgres.restart().await?)
    }

    /// Ends everything that is wrong, and waits until every server is ready.
    pub async fn heal(&self) -> Result<()> {
        for node in 0..self.clients.len() {
            self.set_weather(Line::Clients(node), Weather::Fair);
        }
        self.set_weather(Line::Postgres, Weather::Fair);
        self.set_weather(Line::Nats, Weather::Fair);
        // Whoever restarts one of them holds its lock until it is there again.
        drop(self.postgres.lock().await);
        drop(self.nats.lock().await);
        self.refuse_commits(0).await?;
        for node in &self.nodes {
            let mut node = node.lock().await;
            node.ready().await?;
            node.set_clock(0).await?;
        }
        Ok(())
    }

    /// Stops every server in order. `false`: one of them did not end gracefully.
    pub async fn stop(&self) -> bool {
        let mut graceful = true;
        for node in &self.nodes {
            graceful &= node.lock().await.stop().await;
        }
        graceful
    }

    pub fn cut(&self) -> u64 {
        let lines = self.clients.iter().chain([&self.database, &self.bus]);
        lines.map(Proxy::cut).sum()
    }

    pub async fn bus(&self) -> Result<async_nats::Client> {
        let options = async_nats::ConnectOptions::with_user_and_password(
            NATS_USER.to_owned(),
            NATS_PASSWORD.to_owned(),
        );
        let address = format!("nats://127.0.0.1:{}", self.nats_port);
        let connected = options.connect(address).await;
        connected.map_err(|error| Error::given(format!("cannot connect to nats-server: {error}")))
    }
}

/// Runs a command of the server's program that must succeed, and returns what it printed. It goes through our
/// relays: this thread must not wait for it.
async fn command(program: &Path, config: &Path, line: &str) -> Result<String> {
    let output = tokio::process::Command::new(program)
        .args(line.split(' '))
        .arg("--config")
        .arg(config)
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(Error::io(format!("cannot start {}", program.display())))?;
    if !output.status.success() {
        return Err(Error::given(format!(
            "pitboss {line}: {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
