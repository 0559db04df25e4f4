//! Secrets are rotated, addresses looked at, accounts disabled and closed; every node goes by it.

use serde_json::{Value, json};

use super::actions;
use crate::support::{
    account::{Account, patch},
    casino::{Casino, done},
    client::{ProviderLogin, send},
    eventually,
    player::Player,
    sandbox::shared,
    unique,
};

#[tokio::test]
async fn both_secrets_are_good_during_the_grace_and_the_old_one_ends_with_it() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (old, player) = account.seat(&client).await;
    let balance = json!({ "player": player.id, "currency": "EUR" });
    let rotate = async |grace_s: i64| {
        let path = format!("{}/rotate", account.path());
        let rotated = client
            .post(&path, &json!({ "grace_s": grace_s }))
            .await
            .ok();
        (
            account.client(&client, &rotated.text_at("/secret")),
            rotated,
        )
    };
    let (new, rotated) = rotate(3600).await;
    assert!(
        rotated.json["old_secret_until"].is_string(),
        "{}",
        rotated.text
    );
    for good in [&old, &new] {
        good.callback("balance", &balance).await.ok();
    }
    // A third ends the first at once.
    let (newest, _) = rotate(3600).await;
    old.callback("balance", &balance)
        .await
        .refused(401, "bad_signature");
    for good in [&new, &newest] {
        good.callback("balance", &balance).await.ok();
    }
    let path = format!("{}/revoke-old", account.path());
    let revoked = client.post(&path, &json!({})).await.ok();
    assert_eq!(revoked.json["old_secret_until"], Value::Null);
    new.callback("balance", &balance)
        .await
        .refused(401, "bad_signature");
    newest.callback("balance", &balance).await.ok();
    // Nothing to revoke: nothing is told.
    client.post(&path, &json!({})).await.ok();

    let (last, _) = rotate(1).await;
    last.callback("balance", &balance).await.ok();
    eventually("the grace is over", async || {
        let answer = newest.callback("balance", &balance).await;
        (answer.status != 200).then(|| answer.refused(401, "bad_signature"))
    })
    .await;
    last.callback("balance", &balance).await.ok();
    let (only, rotated) = rotate(0).await;
    assert_eq!(rotated.json["old_secret_until"], Value::Null);
    last.callback("balance", &balance)
        .await
        .refused(401, "bad_signature");
    only.callback("balance", &balance).await.ok();
    for grace_s in [-1, 30 * 86_400 + 1] {
        let path = format!("{}/rotate", account.path());
        client
            .post(&path, &json!({ "grace_s": grace_s }))
            .await
            .refused(422, "malformed");
    }
    let actions = actions(&client, &account.id).await;
    let count = |action: &str| actions.iter().filter(|noted| *noted == action).count();
    assert_eq!(count("provider.secret_rotated"), 4, "{actions:?}");
    assert_eq!(count("provider.old_secret_revoked"), 1, "{actions:?}");
}

#[tokio::test]
async fn a_foreign_address_is_refused_before_its_signature_is_looked_at() {
    let client = shared().await;
    let account = Account::make(&client, json!({ "allowed_addresses": ["192.0.2.0/24"] })).await;
    let provider = account.client(&client, &account.secret);
    let body = json!({ "player": "alice", "currency": "EUR" });
    let refused = provider
        .callback("balance", &body)
        .await
        .refused(403, "address_refused");
    assert!(refused.text.contains("127.0.0.1"), "{}", refused.text);
    let stranger = account.client(&client, "cs_wrong");
    stranger
        .callback("balance", &body)
        .await
        .refused(403, "address_refused");
    let local = json!({ "allowed_addresses": ["192.0.2.0/24", "127.0.0.1"] });
    account.change(&client, &local).await.ok();
    provider.callback("balance", &body).await.ok();
    stranger
        .callback("balance", &body)
        .await
        .refused(401, "bad_signature");
}

#[tokio::test]
async fn a_disabled_account_bets_and_launches_nothing_and_settles_all() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (client, player) = account.seat(&client).await;
    let bet = player.bet("b", "10.00");
    client.callback("bet", &bet).await.ok();
    client
        .callback("bet", &player.bet("back", "5.00"))
        .await
        .ok();
    let disabled = account
        .change(&client, &json!({ "status": "disabled" }))
        .await
        .ok();
    assert_eq!(disabled.json["status"], "disabled");

    client
        .callback("bet", &player.bet("new", "1.00"))
        .await
        .refused(403, "game_disabled");
    let batch = player.batch("r", &[("bet", "x", "1.00"), ("win", "y", "9.00")]);
    client
        .callback("bet_win", &batch)
        .await
        .refused(403, "game_disabled");
    let launch = json!({ "player": player.id, "currency": "EUR" });
    let games = format!("/v1/games/{}/launch", account.game);
    client
        .post(&games, &launch)
        .await
        .refused(403, "game_disabled");
    // T3, T8: what was accepted is repeated, and what is open is settled.
    assert_eq!(
        client.callback("bet", &bet).await.ok().json["replayed"],
        true
    );
    client
        .callback("win", &player.win("w", "b", "25.00"))
        .await
        .ok();
    client
        .callback("rollback", &player.rollback("rb", "back"))
        .await
        .ok();
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    assert_eq!(player.cash(&client).await, "115.00");

    account
        .change(&client, &json!({ "status": "active" }))
        .await
        .ok();
    client
        .callback("bet", &player.bet("new", "1.00"))
        .await
        .ok();
    let wanted = ["provider.created", "provider.disabled", "provider.enabled"];
    assert_eq!(actions(&client, &account.id).await, wanted);
}

#[tokio::test]
async fn an_account_is_closed_when_it_is_disabled_and_settled_and_refuses_all_then() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (client, player) = account.seat(&client).await;
    client.callback("bet", &player.bet("b", "10.00")).await.ok();
    let close = json!({ "status": "closed" });
    account
        .change(&client, &close)
        .await
        .refused(409, "provider_in_use");
    account
        .change(&client, &json!({ "status": "disabled" }))
        .await
        .ok();
    account
        .change(&client, &close)
        .await
        .refused(409, "provider_in_use");
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    account.change(&client, &close).await.ok();
    let late = player.win("late", "b", "1.00");
    client
        .callback("win", &late)
        .await
        .refused(403, "provider_closed");
    let balance = json!({ "player": player.id, "currency": "EUR" });
    client
        .callback("balance", &balance)
        .await
        .refused(403, "provider_closed");
    // Not told to whoever is not the provider.
    let stranger = account.client(&client, "cs_wrong");
    stranger
        .callback("win", &late)
        .await
        .refused(401, "bad_signature");
    // It can be opened again, to settle what comes late.
    account
        .change(&client, &json!({ "status": "disabled" }))
        .await
        .ok();
    client.callback("win", &late).await.ok();
}

#[tokio::test]
async fn other_nodes_go_by_a_change_within_seconds_and_the_command_line_is_one_more_node() {
    let casino = Casino::start("provider-nodes", &["sandbox"]).await;
    let limits = "[providers]\naccounts_max = 2\n";
    let (one, two) = tokio::join!(casino.serve(limits), casino.serve(limits));
    let (one, two) = (
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    );
    let player = Player::with(&one, "100.00").await;
    let (here, there) = (player.bet("here", "1.00"), player.bet("there", "1.00"));
    let path = "/v1/providers/acme";
    patch(&one, path, &json!({ "status": "disabled" }))
        .await
        .ok();
    one.callback("bet", &here)
        .await
        .refused(403, "game_disabled");
    eventually("the other node takes no bets", async || {
        let bet = player.bet(&unique("b"), "0.10");
        let answer = two.callback("bet", &bet).await;
        // The first of an account is "retry" on a node that does not know its latest state.
        (!matches!(answer.status, 200 | 503)).then(|| answer.refused(403, "game_disabled"))
    })
    .await;
    two.callback("bet", &there)
        .await
        .refused(403, "game_disabled");

    // By the command line: on again, and with another secret.
    let config = casino.config("", 1, 1);
    let config = config.to_str().unwrap();
    let place = ["--config", config, "--environment", "sandbox"];
    let run = async |args: &[&str]| done(&[args, &place[..]].concat()).await;
    assert_eq!(
        run(&["providers", "enable", "--id", "acme"]).await,
        "acme: active"
    );
    let secret = run(&["providers", "rotate", "--id", "acme", "--grace-s", "0"]).await;
    for node in [&one, &two] {
        let mut renewed = node.clone();
        renewed.at.providers = vec![ProviderLogin {
            id: "acme".to_owned(),
            secret: secret.clone(),
        }];
        let bet = player.bet(&unique("b"), "0.10");
        eventually("the new secret is good and bets are taken", async || {
            (renewed.callback("bet", &bet).await.status == 200).then_some(())
        })
        .await;
        node.callback("bet", &bet)
            .await
            .refused(401, "bad_signature");
    }
    let list = run(&["providers", "list"]).await;
    assert!(
        list.contains("acme") && list.contains("active") && list.contains("native"),
        "{list}"
    );
    assert_eq!(
        run(&["providers", "disable", "--id", "acme"]).await,
        "acme: disabled"
    );
    let flags = [
        "--policy",
        "late_win=refuse",
        "--policy",
        "auto_close_after_s=60",
        "--allow",
        "10.0.0.0/8",
    ];
    let made = run(&[
        &["providers", "create", "--id", "beta", "--name", "Beta"][..],
        &flags,
    ]
    .concat())
    .await;
    assert!(made.starts_with("cs_"), "{made}");
    let beta = one.get("/v1/providers/beta").await.ok();
    assert_eq!(beta.json["policy"]["late_win"], "refuse");
    assert_eq!(beta.json["policy"]["auto_close_after_s"], 60);
    assert_eq!(beta.json["allowed_addresses"], json!(["10.0.0.0/8"]));
    one.post("/v1/providers", &json!({ "id": "core" }))
        .await
        .refused(409, "provider_limit");
    // A setting that one node has changed counts on the other within seconds, and keys come from files.
    let key = casino.scratch.join("hub.pem");
    std::fs::write(
        &key,
        include_str!("../../../providers/tests/vectors/hub88-public.pem"),
    )
    .unwrap();
    let ledger = casino.ledger("sandbox").await;
    ledger
        .0
        .execute("DELETE FROM provider WHERE id = 'beta'", &[])
        .await
        .unwrap();
    let create = [
        "providers",
        "create",
        "--id",
        "hub",
        "--dialect",
        "hub88",
        "--setting",
        "paths=wallet",
    ];
    let secret = ["--secret-file", key.to_str().unwrap()];
    let made = run(&[&create[..], &secret].concat()).await;
    assert_eq!(made, "", "a given secret is not shown");
    let rotate = ["providers", "rotate", "--id", "hub"];
    assert_eq!(run(&[&rotate[..], &secret].concat()).await, "");
    let hub = one.get("/v1/providers/hub").await.ok();
    assert_eq!(hub.json["settings"]["paths"], "wallet");
    let astray = async |action: &str| {
        let path = format!("/callbacks/sandbox/hub/{action}");
        send(two.http(reqwest::Method::POST, &path).body("{}")).await
    };
    eventually("the other node knows the account", async || {
        (astray("wallet/bet").await.status == 200).then_some(())
    })
    .await;
    let sql = "SELECT count(*) FROM audit_entry WHERE actor_kind = 'command_line' AND subject = $1";
    assert_eq!(ledger.number(sql, "provider/acme").await, 4);
}
