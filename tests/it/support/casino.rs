//! `pitboss serve` against a Postgres and a nats-server that the test runs itself, and may kill.

use std::path::PathBuf;

use pitboss_services::{
    Nats, NatsAccount, NatsOptions, Postgres, PostgresOptions, ScratchDir, free_port,
};

use super::{
    client::{Client, Connection, NatsLogin, Pids, ProviderLogin},
    eventually,
    ledger::Ledger,
    player::GAME,
    program::{self, Program, pitboss, stderr, stdout},
    unique,
};

pub const MASTER_KEY: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
pub const PROVIDER: &str = "acme";

/// The services, a migrated database for each environment, and two operators, a provider and a game in each.
pub struct Casino {
    pub postgres: Postgres,
    pub nats: Nats,
    logins: Vec<Login>,
    pub scratch: ScratchDir,
}

struct Login {
    environment: &'static str,
    operator_key: String,
    second_operator_key: String,
    provider_secret: String,
}

/// One server process.
pub struct Node {
    pub program: Program,
    api: u16,
    admin: u16,
    pub config: PathBuf,
}

impl Casino {
    pub async fn start(label: &str, environments: &[&'static str]) -> Self {
        let scratch = ScratchDir::new(label).unwrap();
        let postgres = PostgresOptions::for_tests(scratch.join("postgres"));
        let nats = NatsOptions::new(scratch.join("nats"))
            .account(NatsAccount::new("SANDBOX", "sandbox", "pass-sandbox"))
            .account(NatsAccount::new("LIVE", "live", "pass-live"));
        let (postgres, nats) = tokio::join!(Postgres::start(postgres), Nats::start(nats));
        let mut casino = Self {
            postgres: postgres.unwrap(),
            nats: nats.unwrap(),
            logins: vec![],
            scratch,
        };
        for environment in environments {
            casino
                .postgres
                .create_database(&database(environment))
                .await
                .unwrap();
            casino.logins.push(Login {
                environment,
                operator_key: String::new(),
                second_operator_key: String::new(),
                provider_secret: String::new(),
            });
        }
        let config = casino.config("", 1, 1);
        let config = config.to_str().unwrap();
        done(&["migrate", "--config", config]).await;
        for index in 0..casino.logins.len() {
            let environment = casino.logins[index].environment;
            let common = ["--config", config, "--environment", environment];
            let key = async |name| {
                done(&[&["keys", "create", "--name", name], &common[..]].concat()).await
            };
            let (key, second_key) = (key("test").await, key("second").await);
            let secret =
                done(&[&["providers", "create", "--id", PROVIDER], &common[..]].concat()).await;
            let ledger = casino.ledger(environment).await;
            let game = "INSERT INTO game (id, provider_id, name, category, enabled) VALUES ($1, $2, $1, 'dice', true)";
            ledger.0.execute(game, &[&GAME, &PROVIDER]).await.unwrap();
            let login = &mut casino.logins[index];
            (login.operator_key, login.provider_secret) = (key, secret);
            login.second_operator_key = second_key;
        }
        casino
    }

    /// A configuration file of this casino, with `more` at its end: settings of `[server]` come first there.
    pub fn config(&self, more: &str, api: u16, admin: u16) -> PathBuf {
        let mut text = format!("[security]\nmaster_key = \"{MASTER_KEY}\"\n");
        for Login { environment, .. } in &self.logins {
            text += &format!(
                "[environments.{environment}]\nenabled = true\npostgres_url = \"{}\"\nnats_url = \"{}\"\n\
                 nats_user = \"{environment}\"\nnats_password = \"pass-{environment}\"\n",
                self.postgres.url(&database(environment)),
                self.nats.url(),
            );
        }
        text += &format!(
            "[server]\napi_address = \"127.0.0.1:{api}\"\nadmin_address = \"127.0.0.1:{admin}\"\nshutdown_s = 10\n"
        );
        let file = self.scratch.join(&format!("{}.toml", unique("config")));
        std::fs::write(&file, text + more).unwrap();
        file
    }

    /// Starts a server and waits until it is ready.
    pub async fn serve(&self, more: &str) -> Node {
        let (api, admin) = (free_port().unwrap(), free_port().unwrap());
        let config = self.config(more, api, admin);
        self.start_node(config, api, admin).await
    }

    /// Starts a server for one of the environments alone.
    pub async fn serve_only(&self, environment: &str) -> Node {
        let others = self.logins.iter().map(|login| login.environment);
        let others: Vec<_> = others.filter(|other| *other != environment).collect();
        self.serve_edited(|mut text| {
            for other in &others {
                let on = format!("[environments.{other}]\nenabled = true");
                text = text.replace(&on, &on.replace("true", "false"));
            }
            text
        })
        .await
    }

    /// Starts a server with a configuration that is not only longer than the usual one.
    pub async fn serve_edited(&self, edit: impl FnOnce(String) -> String) -> Node {
        let (api, admin) = (free_port().unwrap(), free_port().unwrap());
        let config = self.config("", api, admin);
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, edit(text)).unwrap();
        self.start_node(config, api, admin).await
    }

    async fn start_node(&self, config: PathBuf, api: u16, admin: u16) -> Node {
        let mut node = Node {
            program: self.spawn(&config),
            api,
            admin,
            config,
        };
        self.wait_until_ready(&mut node).await;
        node
    }

    fn spawn(&self, config: &std::path::Path) -> Program {
        let command = pitboss(&["serve", "--config", config.to_str().unwrap()]);
        Program::start(command, &config.with_extension("log"))
    }

    /// Starts the same server again, on the same ports.
    pub async fn serve_again(&self, node: &mut Node) {
        node.program = self.spawn(&node.config);
        self.wait_until_ready(node).await;
    }

    pub async fn wait_until_ready(&self, node: &mut Node) {
        let client = self.client(node, self.logins[0].environment);
        eventually("the server is ready", async || {
            assert!(
                node.program.exited().is_none(),
                "it ended:\n{}",
                node.program.log()
            );
            let ready = reqwest::get(format!("{}/readyz", client.at.admin))
                .await
                .ok()?;
            (ready.status() == 200).then_some(())
        })
        .await;
    }

    /// Where the API of a server is.
    pub fn api_port(&self, node: &Node) -> u16 {
        node.api
    }

    pub fn client(&self, node: &Node, environment: &'static str) -> Client {
        let login = self
            .logins
            .iter()
            .find(|login| login.environment == environment)
            .unwrap();
        let Node { api, admin, .. } = node;
        let at = Connection {
            api: format!("http://127.0.0.1:{api}"),
            admin: format!("http://127.0.0.1:{admin}"),
            stream: format!("ws://127.0.0.1:{api}/v1/stream"),
            postgres: self.postgres.url(&database(environment)),
            nats: NatsLogin {
                url: self.nats.url(),
                user: environment.to_owned(),
                password: format!("pass-{environment}"),
            },
            operator_key: login.operator_key.clone(),
            second_operator_key: login.second_operator_key.clone(),
            providers: vec![ProviderLogin {
                id: PROVIDER.to_owned(),
                secret: login.provider_secret.clone(),
            }],
            players: vec![],
            pids: Pids {
                server: node.program.pid(),
                postgres: self.postgres.pid(),
                nats: self.nats.pid(),
            },
        };
        Client::new(at, environment)
    }

    pub async fn ledger(&self, environment: &str) -> Ledger {
        Ledger::open(&self.postgres.url(&database(environment))).await
    }

    /// `pitboss audit` on this casino, with a server running or not.
    pub async fn audit(&self) -> std::process::Output {
        self.audit_with(&[]).await
    }

    pub async fn audit_with(&self, more: &[&str]) -> std::process::Output {
        let config = self.config("", 1, 1);
        let mut args = vec!["audit", "--config", config.to_str().unwrap()];
        args.extend(more);
        program::run(pitboss(&args)).await
    }
}

fn database(environment: &str) -> String {
    format!("casino_{environment}")
}

/// Runs a command that must succeed, and returns what it printed.
pub async fn done(args: &[&str]) -> String {
    let output = program::run(pitboss(args)).await;
    assert!(output.status.success(), "{args:?}: {}", stderr(&output));
    stdout(&output).trim().to_owned()
}
