//! The command line: help, exit codes, and a wrong configuration that is told before anything starts.

use std::path::PathBuf;

use pitboss_services::{ScratchDir, free_port};

use crate::support::{
    casino::MASTER_KEY,
    program::{pitboss, run, stderr, stdout},
};

#[tokio::test]
async fn every_command_explains_itself() {
    for command in [
        &[][..],
        &["sandbox"],
        &["serve"],
        &["migrate"],
        &["audit"],
        &["demo"],
        &["simulate"],
        &["keys"],
        &["keys", "create"],
        &["providers"],
        &["providers", "create"],
        &["providers", "list"],
        &["providers", "rotate"],
        &["providers", "disable"],
        &["providers", "enable"],
    ] {
        let output = run(pitboss(&[command, &["--help"]].concat())).await;
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let text = stdout(&output);
        assert!(
            text.contains("Usage: pitboss") && text.lines().count() > 4,
            "{command:?}: {text}"
        );
    }
    let version = run(pitboss(&["--version"])).await;
    assert_eq!(
        stdout(&version).trim(),
        format!("pitboss {}", env!("CARGO_PKG_VERSION"))
    );
}

#[tokio::test]
async fn a_command_line_that_is_not_understood_exits_64() {
    for args in [
        &["fly"][..],
        &[],
        &["serve", "--colour", "red"],
        &["keys", "create", "--environment", "moon", "--name", "x"],
        &["providers", "rotate", "--environment", "sandbox"],
    ] {
        let output = run(pitboss(args)).await;
        assert_eq!(
            output.status.code(),
            Some(64),
            "{args:?}: {}",
            stderr(&output)
        );
        assert!(!stderr(&output).is_empty());
    }
}

/// A folder for configurations.
struct Configs {
    scratch: ScratchDir,
}

impl Configs {
    fn new() -> Self {
        Self {
            scratch: ScratchDir::new("configs").unwrap(),
        }
    }

    /// One that is right, although nobody listens where it points. `api` 0: any port.
    fn good(api: u16) -> String {
        let nobody = free_port().unwrap();
        format!(
            "security.master_key = \"{MASTER_KEY}\"\nserver.api_address = \"127.0.0.1:{api}\"\n\
             server.admin_address = \"127.0.0.1:0\"\n[environments.sandbox]\nenabled = true\n\
             postgres_url = \"postgres://u:hunter2@127.0.0.1:{nobody}/none\"\nnats_url = \"nats://127.0.0.1:{nobody}\"\n"
        )
    }

    fn write(&self, text: &str) -> PathBuf {
        let file = self
            .scratch
            .join(&format!("{}.toml", crate::support::unique("config")));
        std::fs::write(&file, text).unwrap();
        file
    }
}

#[tokio::test]
async fn a_wrong_setting_names_key_value_and_what_is_allowed_and_exits_64_before_a_port_is_bound() {
    let configs = Configs::new();
    // A port that is taken: whoever bound first would complain of it, with another code.
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let api = taken.local_addr().unwrap().port();
    let good = Configs::good(api);
    let with = |section: &str| format!("{good}\n{section}\n");
    let wrong_key = good.replace(MASTER_KEY, "abc");
    let without_environment = good.replace("enabled = true", "enabled = false");
    let not_postgres = good.replace("postgres://u:hunter2", "mysql://u:hunter2");
    let cases: &[(&str, &[&str])] = &[
        (
            &with("[journal]\nwriters = 0"),
            &["journal.writers", "0", "from 1 to 64"],
        ),
        (
            &with("[journal]\nwriters = 65"),
            &["journal.writers", "65", "from 1 to 64"],
        ),
        (
            &with("[journal]\nwriters = \"many\""),
            &["journal.writers", "many", "integer"],
        ),
        (&with("[journal]\nwritters = 2"), &["writters", "writers"]),
        (&with("[jornal]\nwriters = 2"), &["jornal", "journal"]),
        (&with("[log]\nformat = \"xml\""), &["xml", "json"]),
        (&with("[log]\nlevel = \"=,=\""), &["log.level", "=,="]),
        (
            &with("[players]\nper_player_max = -1"),
            &["players.per_player_max", "-1"],
        ),
        (&with("[journal\nwriters = 2"), &["TOML", "line"]),
        (
            &wrong_key,
            &[
                "security.master_key",
                "3 characters",
                "64 hexadecimal digits",
            ],
        ),
        (
            &without_environment,
            &["environments.sandbox.enabled", "must be true"],
        ),
        (
            &not_postgres,
            &["environments.sandbox.postgres_url", "postgres://"],
        ),
        (
            &good.replace("nats://", "http://"),
            &["environments.sandbox.nats_url", "http://", "nats://"],
        ),
        (
            &good.replace(&format!("127.0.0.1:{}", api), "localhost"),
            &["server.api_address", "localhost"],
        ),
    ];
    for (text, told) in cases {
        let file = configs.write(text);
        for command in ["serve", "migrate", "audit"] {
            let output = run(pitboss(&[command, "--config", file.to_str().unwrap()])).await;
            let error = stderr(&output);
            assert_eq!(
                output.status.code(),
                Some(64),
                "{command}, {told:?}: {error}"
            );
            for part in *told {
                assert!(error.contains(part), "{command}, {told:?}: {error}");
            }
            assert!(
                !error.contains("hunter2"),
                "{command} shows a password: {error}"
            );
        }
    }
}

#[tokio::test]
async fn a_setting_of_the_environment_is_laid_over_the_file_and_checked_like_it() {
    let configs = Configs::new();
    let file = configs.write(&Configs::good(0));
    let mut command = pitboss(&["serve", "--config", file.to_str().unwrap()]);
    command.env("PITBOSS__JOURNAL__WRITERS", "1000");
    let output = run(command).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(
        stderr(&output).contains("journal.writers = 1000: must be from 1 to 64"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_file_that_is_missing_is_named() {
    let output = run(pitboss(&["serve", "--config", "/nonexistent/pitboss.toml"])).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(
        stderr(&output).contains("/nonexistent/pitboss.toml"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_server_without_its_database_exits_1_and_says_so() {
    let configs = Configs::new();
    let file = configs.write(&Configs::good(0));
    for command in ["serve", "migrate", "audit"] {
        let output = run(pitboss(&[command, "--config", file.to_str().unwrap()])).await;
        let error = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{command}: {error}");
        assert!(
            error.to_lowercase().contains("refused"),
            "{command} hides the cause: {error}"
        );
        assert!(
            !error.contains("hunter2"),
            "{command} shows a password: {error}"
        );
    }
}

#[tokio::test]
async fn a_port_that_is_taken_is_named_with_its_setting() {
    let configs = Configs::new();
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let api = taken.local_addr().unwrap().port();
    let file = configs.write(&Configs::good(api));
    let output = run(pitboss(&["serve", "--config", file.to_str().unwrap()])).await;
    assert_eq!(output.status.code(), Some(1));
    let named = format!("server.api_address = 127.0.0.1:{}", api);
    assert!(stderr(&output).contains(&named), "{}", stderr(&output));
}

#[tokio::test]
async fn demo_and_audit_say_how_to_get_a_sandbox_when_there_is_none() {
    let scratch = ScratchDir::new("nothing").unwrap();
    let file = scratch.join("connection.json");
    for command in ["demo", "audit"] {
        let output = run(pitboss(&[command, "--connection", file.to_str().unwrap()])).await;
        assert_eq!(output.status.code(), Some(64), "{command}");
        let error = stderr(&output);
        assert!(
            error.contains("bin/sandbox") && error.contains(file.to_str().unwrap()),
            "{error}"
        );
    }
}
