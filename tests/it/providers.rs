//! Provider accounts over REST: made, changed, rotated, disabled, closed; and what that does to callbacks.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    account::{Account, patch},
    casino::{Casino, done},
    client::{Client, ProviderLogin, send, signature, unix_now},
    eventually,
    ledger::Ledger,
    player::{Player, with},
    sandbox::shared,
    unique,
};

/// What the audit log has of an account: each action with its details, in order.
async fn noted(client: &Client, id: &str) -> Vec<(String, Value)> {
    let ledger = Ledger::open(&client.at.postgres).await;
    let sql = "SELECT action, detail FROM audit_entry WHERE subject = $1 ORDER BY number";
    let rows = ledger
        .0
        .query(sql, &[&format!("provider/{id}")])
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), serde_json::from_str(row.get(1)).unwrap()))
        .collect()
}

async fn actions(client: &Client, id: &str) -> Vec<String> {
    let noted = noted(client, id).await;
    noted.into_iter().map(|(action, _)| action).collect()
}

#[tokio::test]
async fn an_account_is_made_with_choices_over_the_defaults_and_its_secret_is_shown_once() {
    let client = shared().await;
    let id = unique("acme");
    let body = json!({
        "id": id, "name": "Acme Games", "policy": { "late_win": "refuse", "auto_close_after_s": 60 },
        "allowed_addresses": ["127.0.0.0/8", "2001:db8::7"],
    });
    let made = client.post_once("/v1/providers", &id, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let secret = made.text_at("/secret");
    assert!(secret.starts_with("cs_") && secret.len() == 67, "{secret}");
    assert_eq!(made.json["status"], "active");
    assert_eq!(made.json["policy"]["late_win"], "refuse");
    assert_eq!(made.json["policy"]["auto_close_after_s"], 60);
    assert_eq!(made.json["policy"]["late_bet"], "refuse");
    assert_eq!(
        made.json["allowed_addresses"],
        json!(["127.0.0.0/8", "2001:db8::7/128"])
    );
    assert_eq!(
        (&made.json["used"], &made.json["games"]),
        (&json!(false), &json!(0))
    );
    let url = format!("{}/callbacks/sandbox/{id}/", client.at.api);
    assert_eq!(made.json["callback_url"], url);
    // The same request again is the same answer, and no second account.
    let again = client.post_once("/v1/providers", &id, &body).await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.text),
        ("true", &made.text)
    );
    client
        .post("/v1/providers", &body)
        .await
        .refused(409, "provider_exists");

    let got = client.get(&format!("/v1/providers/{id}")).await.ok();
    assert!(
        !got.text.contains("secret\":\"") && !got.text.contains(&secret),
        "{}",
        got.text
    );
    let noted = noted(&client, &id).await;
    assert_eq!(noted.len(), 1, "{noted:?}");
    assert_eq!(
        (noted[0].0.as_str(), &noted[0].1["name"]),
        ("provider.created", &json!("Acme Games"))
    );
    assert!(!format!("{noted:?}").contains(&secret));
}

#[tokio::test]
async fn what_no_account_can_be_made_of_is_refused_by_name_and_nothing_is_written() {
    let client = shared().await;
    let id = unique("wrong");
    let good = json!({ "id": id });
    for (field, value, code, told) in [
        ("id", json!("a/b"), "malformed", "id"),
        ("id", json!("cashier"), "malformed", "id"),
        ("id", json!(".."), "malformed", "id"),
        ("id", Value::Null, "malformed", "id"),
        ("dialect", json!("klingon"), "malformed", "klingon"),
        ("name", json!(""), "malformed", "name"),
        ("name", json!("a\nb"), "malformed", "name"),
        (
            "policy",
            json!({ "late_win": "perhaps" }),
            "malformed",
            "late_win",
        ),
        (
            "policy",
            json!({ "late_wins": "allow" }),
            "unknown_field",
            "late_wins",
        ),
        (
            "policy",
            json!({ "auto_close_after_s": 0 }),
            "malformed",
            "auto_close_after_s",
        ),
        ("policy", json!([]), "malformed", "policy"),
        (
            "allowed_addresses",
            json!(["10.1.2.3/8"]),
            "malformed",
            "10.0.0.0/8",
        ),
        ("allowed_addresses", json!(["here"]), "malformed", "here"),
        (
            "allowed_addresses",
            json!(vec!["10.0.0.0/8"; 65]),
            "malformed",
            "at most 64",
        ),
        ("callback_log", json!("some"), "malformed", "callback_log"),
        ("secret", json!("mine"), "unknown_field", "secret"),
    ] {
        let body = with(&good, field, value.clone());
        let refused = client.post("/v1/providers", &body).await.refused(422, code);
        assert!(
            refused.json["detail"].as_str().unwrap().contains(told),
            "{}",
            refused.text
        );
    }
    let path = format!("/v1/providers/{id}");
    client.get(&path).await.refused(404, "unknown_provider");
    patch(&client, &path, &json!({}))
        .await
        .refused(404, "unknown_provider");
    for action in ["rotate", "revoke-old"] {
        let path = format!("{path}/{action}");
        client
            .post(&path, &json!({}))
            .await
            .refused(404, "unknown_provider");
    }
    assert!(actions(&client, &id).await.is_empty());
}

#[tokio::test]
async fn accounts_are_listed_by_id_page_by_page() {
    let client = shared().await;
    let mut wanted = Vec::new();
    for _ in 0..3 {
        wanted.push(Account::make(&client, json!({})).await.id);
    }
    wanted.sort();
    let (mut found, mut path) = (Vec::new(), "/v1/providers?limit=1".to_owned());
    loop {
        let page = client.get(&path).await.ok();
        let Some(row) = page.json["data"].get(0) else {
            break;
        };
        assert!(
            row.get("secret").is_none() && row["policy"].is_object(),
            "{row}"
        );
        found.push(row["id"].as_str().unwrap().to_owned());
        match page.json["next"].as_str() {
            Some(next) => path = format!("/v1/providers?limit=1&after={next}"),
            None => break,
        }
    }
    assert!(
        found.is_sorted() && found.contains(&"demo".to_owned()),
        "{found:?}"
    );
    found.retain(|id| wanted.contains(id));
    assert_eq!(found, wanted);
}

#[tokio::test]
async fn a_change_of_the_policy_changes_the_next_answer_and_tells_who_changed_what() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (client, player) = account.seat(&client).await;
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    client
        .callback("win", &player.win("w", "b", "0.50"))
        .await
        .ok();
    let rollback = player.rollback("rb", "b");
    client
        .callback("rollback", &rollback)
        .await
        .refused(409, "already_settled");
    let changed = account
        .change(
            &client,
            &json!({ "policy": { "rollback_after_win": "reverse" } }),
        )
        .await
        .ok();
    assert_eq!(changed.json["policy"]["rollback_after_win"], "reverse");
    assert_eq!(changed.json["used"], true);
    client.callback("rollback", &rollback).await.ok();

    client.callback("bet", &player.bet("c", "1.00")).await.ok();
    client
        .callback("close_round", &player.close("c"))
        .await
        .ok();
    let refuse = json!({ "policy": { "late_win": "refuse" }, "name": "Strict" });
    account.change(&client, &refuse).await.ok();
    let late = player.win("late", "c", "2.00");
    client
        .callback("win", &late)
        .await
        .refused(409, "round_closed");
    let allow = json!({ "policy": { "late_win": "allow" } });
    account.change(&client, &allow).await.ok();
    client.callback("win", &late).await.ok();
    // What changes nothing is told of nowhere.
    account.change(&client, &allow).await.ok();

    let noted = noted(&client, &account.id).await;
    let changes: Vec<_> = noted
        .iter()
        .filter(|(action, _)| action == "provider.changed")
        .collect();
    assert_eq!(changes.len(), 3, "{noted:?}");
    let (before, after) = (&changes[1].1["before"], &changes[1].1["after"]);
    assert_eq!(
        before,
        &json!({ "name": account.id, "policy.late_win": "allow" })
    );
    assert_eq!(
        after,
        &json!({ "name": "Strict", "policy.late_win": "refuse" })
    );
}

#[tokio::test]
async fn what_stored_keys_are_made_by_is_fixed_once_there_are_some() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let scope = |scope: &str| json!({ "policy": { "round_scope": scope } });
    account.change(&client, &scope("game")).await.ok();
    account.change(&client, &scope("provider")).await.ok();
    let (client, player) = account.seat(&client).await;
    // A launch and a balance are stored by no key of the provider's.
    account.change(&client, &scope("game")).await.ok();
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    for policy in [
        json!({ "round_scope": "provider" }),
        json!({ "transaction_scope": "provider" }),
        json!({ "rollback_amount": "must_equal", "late_win": "refuse" }),
    ] {
        let change = json!({ "policy": policy });
        account
            .change(&client, &change)
            .await
            .refused(409, "policy_locked");
    }
    let got = client.get(&account.path()).await.ok();
    assert_eq!(
        got.json["policy"]["late_win"], "allow",
        "half a change: {}",
        got.text
    );
    // The choice that it has already is no change.
    account.change(&client, &scope("game")).await.ok();
}

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
        (answer.status != 200).then(|| answer.refused(403, "game_disabled"))
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
    let ledger = casino.ledger("sandbox").await;
    let sql = "SELECT count(*) FROM audit_entry WHERE actor_kind = 'command_line' AND subject = $1";
    assert_eq!(ledger.number(sql, "provider/acme").await, 4);
}

#[tokio::test]
async fn a_key_needs_the_scope_and_a_signature_of_another_account_is_none() {
    let client = shared().await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let (key, hash) = crate::support::account::scoped_key();
    let insert = "INSERT INTO operator_key (id, prefix, hash, name, person, scopes)
        VALUES (gen_random_uuid(), 'sk_test_', $1, 'reader', 'reader', '{providers:read}')";
    ledger.0.execute(insert, &[&hash]).await.unwrap();
    let request = |method: Method, path: &str| client.http(method, path).bearer_auth(&key);
    send(request(Method::GET, "/v1/providers/demo/callbacks"))
        .await
        .ok();
    let change = request(Method::PATCH, "/v1/providers/demo").json(&json!({ "name": "x" }));
    send(change).await.refused(403, "forbidden");
    let rotate = request(Method::POST, "/v1/providers/demo/rotate");
    send(rotate).await.refused(403, "forbidden");

    let account = Account::make(&client, json!({})).await;
    let path = client.callback_path("balance");
    let body = json!({ "player": "alice", "currency": "EUR" }).to_string();
    let signed = signature(&account.secret, unix_now(), &path, body.as_bytes());
    let request = client
        .http(Method::POST, &path)
        .header("Pitboss-Signature", signed);
    send(request.body(body)).await.refused(401, "bad_signature");
}
