//! The operator's commands: migrate, keys, providers, audit, demo.

use crate::support::{
    casino::{Casino, done},
    client::send,
    player::Player,
    program::{pitboss, run, stderr, stdout},
    sandbox::{shared, shared_data},
};

#[tokio::test]
async fn migrate_keys_providers_and_audit_serve_an_operator_from_nothing() {
    // `Casino::start` migrates, and makes a key and a provider in each environment.
    let casino = Casino::start("commands", &["sandbox", "live"]).await;
    let config = casino.config("", 1, 1);
    let config = config.to_str().unwrap();
    let again = done(&["migrate", "--config", config]).await;
    assert!(
        again.contains("sandbox: at schema version") && again.contains("live: at schema version"),
        "{again}"
    );

    // The number of lanes is fixed when the database is installed.
    let more_lanes = casino.config("[journal]\nlanes = 16\n", 1, 1);
    let output = run(pitboss(&[
        "migrate",
        "--config",
        more_lanes.to_str().unwrap(),
    ]))
    .await;
    assert!(
        stdout(&output).contains("8 lanes") || stderr(&output).contains("lanes"),
        "{}{}",
        stdout(&output),
        stderr(&output)
    );

    for (environment, prefix) in [("sandbox", "sk_test_"), ("live", "sk_live_")] {
        let args = [
            "keys",
            "create",
            "--config",
            config,
            "--environment",
            environment,
            "--name",
            "second",
        ];
        let key = done(&args).await;
        assert!(
            key.starts_with(prefix) && !key.contains(char::is_whitespace),
            "{key}"
        );
        let ledger = casino.ledger(environment).await;
        let shown = "SELECT string_agg(prefix, ' ') FROM operator_key";
        let shown: String = ledger.0.query_one(shown, &[]).await.unwrap().get(0);
        assert!(!shown.contains(&key), "the key is kept as it is");
        let args = [
            "providers",
            "create",
            "--config",
            config,
            "--environment",
            environment,
            "--id",
        ];
        let secret = done(&[&args[..], &["second"]].concat()).await;
        assert!(secret.starts_with("cs_"), "{secret}");
        for (id, dialect, code, told) in [
            ("second", "native", 1, "already"),
            ("third", "klingon", 1, "klingon"),
            ("a b", "native", 64, "--id"),
        ] {
            let output = run(pitboss(&[&args[..], &[id, "--dialect", dialect]].concat())).await;
            assert_eq!(output.status.code(), Some(code), "{id} {dialect}");
            assert!(stderr(&output).contains(told), "{}", stderr(&output));
        }
    }

    // Both sorts work on a server that was running before, and after.
    let node = casino.serve("").await;
    for environment in ["sandbox", "live"] {
        let client = casino.client(&node, environment);
        let player = Player::with(&client, "10.00").await;
        client.callback("bet", &player.bet("b", "1.00")).await.ok();
        let args = [
            "keys",
            "create",
            "--config",
            config,
            "--environment",
            environment,
            "--name",
            "third",
        ];
        let key = done(&args).await;
        send(
            client
                .http(reqwest::Method::GET, "/v1/games")
                .bearer_auth(key),
        )
        .await
        .ok();
    }
    let audit = casino.audit().await;
    assert_eq!(
        audit.status.code(),
        Some(0),
        "{}{}",
        stdout(&audit),
        stderr(&audit)
    );
}

#[tokio::test]
async fn a_command_for_an_environment_that_is_off_says_so() {
    let casino = Casino::start("one-environment", &["sandbox"]).await;
    let config = casino.config("", 1, 1);
    let args = [
        "keys",
        "create",
        "--config",
        config.to_str().unwrap(),
        "--environment",
        "live",
        "--name",
        "x",
    ];
    let output = run(pitboss(&args)).await;
    assert_eq!(output.status.code(), Some(64));
    assert!(
        stderr(&output).contains("environments.live.enabled"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn a_server_refuses_a_database_that_is_not_migrated() {
    let casino = Casino::start("not-migrated", &["sandbox"]).await;
    casino.postgres.create_database("empty").await.unwrap();
    let (api, admin) = (
        pitboss_services::free_port().unwrap(),
        pitboss_services::free_port().unwrap(),
    );
    let text = std::fs::read_to_string(casino.config("", api, admin)).unwrap();
    let file = casino.scratch.join("empty.toml");
    std::fs::write(&file, text.replace("casino_sandbox", "empty")).unwrap();
    for command in ["serve", "audit"] {
        let output = run(pitboss(&[command, "--config", file.to_str().unwrap()])).await;
        assert_eq!(
            output.status.code(),
            Some(1),
            "{command}: {}",
            stderr(&output)
        );
        assert!(
            stderr(&output).contains("pitboss migrate"),
            "{command}: {}",
            stderr(&output)
        );
    }
}

#[tokio::test]
async fn the_audit_of_a_running_sandbox_is_clean_and_the_demo_is_as_it_should_be() {
    shared().await;
    let connection = shared_data().await.join("connection.json");
    let connection = connection.to_str().unwrap();
    for command in ["demo", "audit"] {
        let output = run(pitboss(&[command, "--connection", connection])).await;
        assert_eq!(
            output.status.code(),
            Some(0),
            "{command}: {}{}",
            stdout(&output),
            stderr(&output)
        );
        assert!(stdout(&output).contains("INV-2"), "{}", stdout(&output));
    }
    let one = ["audit", "--connection", connection, "--player", "nobody"];
    let output = run(pitboss(&one)).await;
    assert_eq!(output.status.code(), Some(64), "{}", stdout(&output));
}

#[tokio::test]
async fn the_audit_finds_what_was_tampered_with_and_exits_1() {
    let casino = Casino::start("tampered", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "100.00").await;
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    drop(node);
    let ledger = casino.ledger("sandbox").await;
    let id = &player.id;
    let table = casino.audit().await;
    assert_eq!(
        table.status.code(),
        Some(0),
        "{}{}",
        stdout(&table),
        stderr(&table)
    );
    for invariant in [
        "INV-1", "INV-2", "INV-3", "INV-4", "INV-5", "INV-7", "INV-8",
    ] {
        assert!(
            stdout(&table).contains(invariant),
            "{invariant} is not in {}",
            stdout(&table)
        );
    }
    // Each change, and how to take it back. Triggers guard the ledger; an intruder with the database does not mind.
    let unguarded = "SET session_replication_role = replica; ALTER DOMAIN zero_sum DROP CONSTRAINT sums_to_zero";
    ledger.0.batch_execute(unguarded).await.unwrap();
    for (change, undo, invariant) in [
        (
            "UPDATE balance SET amount = amount + 1 WHERE player_id = $1",
            "UPDATE balance SET amount = amount - 1 WHERE player_id = $1",
            "INV-2",
        ),
        (
            "UPDATE ledger SET amounts[2] = amounts[2] + 1 WHERE player_id = $1 AND number = 2",
            "UPDATE ledger SET amounts[2] = amounts[2] - 1 WHERE player_id = $1 AND number = 2",
            "INV-1",
        ),
        (
            "UPDATE round SET stake = stake + 1 WHERE player_id = $1",
            "UPDATE round SET stake = stake - 1 WHERE player_id = $1",
            "INV-5",
        ),
        (
            "UPDATE outbox SET last_seq = last_seq + 100 WHERE player_id = $1 AND last_seq >= 3",
            "UPDATE outbox SET last_seq = last_seq - 100 WHERE player_id = $1 AND last_seq >= 103",
            "INV-7",
        ),
        (
            "UPDATE ledger SET state = 'tombstone' WHERE player_id = $1 AND kind = 'bet'",
            "UPDATE ledger SET state = 'applied' WHERE player_id = $1 AND kind = 'bet'",
            "INV-8",
        ),
    ] {
        assert!(ledger.run(change, id).await > 0, "{change}");
        let output = casino.audit().await;
        assert_eq!(
            output.status.code(),
            Some(1),
            "{change}: {}",
            stdout(&output)
        );
        let table = stdout(&output);
        assert!(
            table.contains(invariant) && table.contains(id.as_str()),
            "{change}: {table}"
        );
        ledger.run(undo, id).await;
    }
    assert_eq!(casino.audit().await.status.code(), Some(0));
}

#[tokio::test]
async fn one_player_is_audited_alone_and_one_who_is_not_there_is_named() {
    let casino = Casino::start("one", &["sandbox", "live"]).await;
    let node = casino.serve("").await;
    // In one of the two environments.
    let client = casino.client(&node, "live");
    let good = Player::with(&client, "100.00").await;
    let bad = Player::with(&client, "100.00").await;
    for player in [&good, &bad] {
        client.callback("bet", &player.bet("b", "1.00")).await.ok();
    }
    drop(node);
    let ledger = casino.ledger("live").await;
    let change = "UPDATE balance SET amount = amount + 1 WHERE player_id = $1";
    assert_eq!(ledger.run(change, &bad.id).await, 1);

    let output = casino.audit_with(&["--player", good.id.as_str()]).await;
    let table = stdout(&output);
    assert_eq!(output.status.code(), Some(0), "{table}{}", stderr(&output));
    let title = format!("Audit of live, player {}\n", good.id);
    assert!(table.starts_with(&title), "{table}");
    assert!(table.ends_with("All invariants hold.\n"), "{table}");

    let output = casino.audit_with(&["--player", bad.id.as_str()]).await;
    assert_eq!(output.status.code(), Some(1), "{}", stdout(&output));
    assert!(stdout(&output).contains("INV-2"), "{}", stdout(&output));

    let output = casino.audit_with(&["--player", "nobody"]).await;
    assert_eq!(output.status.code(), Some(64), "{}", stdout(&output));
    let error = stderr(&output);
    assert!(error.contains("there is no player nobody"), "{error}");
    assert_eq!(stdout(&output), "");

    let output = casino.audit_with(&["--player", "no body"]).await;
    assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
}
