//! Accounts are made, listed and changed; what cannot be is refused by name.

use reqwest::Method;
use serde_json::{Value, json};

use super::{actions, noted};
use crate::support::{
    account::{Account, patch, scoped_key},
    client::{send, signature, unix_now},
    ledger::Ledger,
    player::with,
    sandbox::shared,
    unique,
};

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
        ("secret", json!("mine"), "malformed", "secret"),
        ("secret", json!(7), "malformed", "secret"),
        ("settings", json!({ "x": "y" }), "malformed", "settings: x"),
        ("settings", json!([]), "malformed", "settings"),
        ("settings", json!({ "x": null }), "malformed", "settings"),
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
async fn a_key_needs_the_scope_and_a_signature_of_another_account_is_none() {
    let client = shared().await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let (key, hash) = scoped_key();
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

/// The public key of Hub88's demo, and the other half of the simulator's pair.
const PEM: &str = include_str!("../../../providers/tests/vectors/hub88-public.pem");

#[tokio::test]
async fn the_dialects_are_listed_with_what_an_account_may_choose() {
    let client = shared().await;
    let list = client.get("/v1/dialects").await.ok();
    let names: Vec<&str> = list.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap())
        .collect();
    let registered: Vec<&str> = pitboss_providers::DIALECTS
        .iter()
        .map(|one| one.name())
        .collect();
    assert_eq!(names, registered);
    let hub88 = names.iter().position(|name| *name == "hub88").unwrap();
    let hub88 = &list.json["data"][hub88];
    assert_eq!(hub88["secret_is_given"], true);
    assert_eq!(hub88["settings"]["header"]["default"], "X-Hub88-Signature");
    assert_eq!(hub88["settings"]["header"]["allowed"], Value::Null);
    assert_eq!(
        hub88["settings"]["paths"]["allowed"],
        json!(["hub88", "wallet"])
    );
    assert_eq!(hub88["policy"]["rollback_after_win"], "reverse");
}

#[tokio::test]
async fn settings_are_chosen_changed_and_told_and_a_wrong_one_is_named() {
    let client = shared().await;
    let id = unique("caleta");
    let path = format!("/v1/providers/{id}");
    let body = json!({
        "id": id, "dialect": "hub88", "secret": PEM,
        "settings": { "header": "X-Auth-Signature", "paths": "wallet" },
    });
    for (settings, told) in [
        (
            json!({ "paths": "caleta" }),
            "paths: must be one of hub88, wallet",
        ),
        (json!({ "header": "X Sign" }), "header"),
        (
            json!({ "headers": "X-Sign" }),
            "headers: there is no such setting",
        ),
    ] {
        let wrong = with(&body, "settings", settings);
        let refused = client
            .post("/v1/providers", &wrong)
            .await
            .refused(422, "malformed");
        assert!(refused.text.contains(told), "{}", refused.text);
    }
    client.get(&path).await.refused(404, "unknown_provider");

    let made = client.post("/v1/providers", &body).await.ok();
    assert_eq!(made.json["settings"], body["settings"]);
    assert!(
        made.json.get("secret").is_none(),
        "a given one is not shown: {}",
        made.text
    );
    for (settings, told) in [
        (json!({ "paths": "x", "header": "" }), "header: must be"),
        (json!({ "x": null }), "x: there is no such setting"),
    ] {
        let change = json!({ "settings": settings, "name": "Never" });
        let refused = patch(&client, &path, &change)
            .await
            .refused(422, "malformed");
        assert!(refused.text.contains(told), "{}", refused.text);
    }
    let changed = patch(&client, &path, &json!({ "settings": { "header": null } }))
        .await
        .ok();
    let wanted = json!({ "header": "X-Hub88-Signature", "paths": "wallet" });
    assert_eq!(changed.json["settings"], wanted);
    assert_eq!(client.get(&path).await.ok().json["settings"], wanted);
    // The default by its name is no change.
    patch(
        &client,
        &path,
        &json!({ "settings": { "header": "X-Hub88-Signature" } }),
    )
    .await
    .ok();
    let noted = noted(&client, &id).await;
    assert_eq!(noted.len(), 2, "{noted:?}");
    assert_eq!(noted[0].1["settings.paths"], "wallet");
    assert_eq!(
        noted[1].1["before"],
        json!({ "settings.header": "X-Auth-Signature" })
    );
    assert_eq!(
        noted[1].1["after"],
        json!({ "settings.header": "X-Hub88-Signature" })
    );
}

#[tokio::test]
async fn a_given_secret_is_checked_used_and_never_shown_again() {
    let client = shared().await;
    let id = unique("given");
    // A public key has to come from the provider, and to be one.
    for secret in [Value::Null, json!("no key at all"), json!("")] {
        let body = json!({ "id": id, "dialect": "hub88", "secret": secret });
        let refused = client
            .post("/v1/providers", &body)
            .await
            .refused(422, "malformed");
        assert!(refused.text.contains("secret: "), "{}", refused.text);
    }
    let given = "what the provider chose";
    let body = json!({ "id": id, "secret": given });
    let made = client.post_once("/v1/providers", &id, &body).await.ok();
    let again = client.post_once("/v1/providers", &id, &body).await.ok();
    for answer in [
        &made,
        &again,
        &client.get(&format!("/v1/providers/{id}")).await.ok(),
    ] {
        assert!(!answer.text.contains(given), "{}", answer.text);
    }
    let account = Account {
        id: id.clone(),
        secret: given.to_owned(),
        game: String::new(),
    };
    let balance = json!({ "player": "alice", "currency": "EUR" });
    account
        .client(&client, given)
        .callback("balance", &balance)
        .await
        .ok();

    let rotate = format!("/v1/providers/{id}/rotate");
    let refused = client.post(&rotate, &json!({ "secret": "short" })).await;
    refused.refused(422, "malformed");
    account
        .client(&client, given)
        .callback("balance", &balance)
        .await
        .ok();
    let next = "what he chose after that";
    let rotated = client
        .post(&rotate, &json!({ "secret": next, "grace_s": 0 }))
        .await
        .ok();
    assert!(!rotated.text.contains(next), "{}", rotated.text);
    account
        .client(&client, next)
        .callback("balance", &balance)
        .await
        .ok();
    account
        .client(&client, given)
        .callback("balance", &balance)
        .await
        .refused(401, "bad_signature");
    let noted = format!("{:?}", noted(&client, &id).await);
    assert!(!noted.contains(given) && !noted.contains(next), "{noted}");
}
