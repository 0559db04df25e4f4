//! Operator keys: restricted, rotated, counted, revoked, and never more than the key that made them.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    bus::Bus,
    casino::{Casino, done},
    client::{Answer, Client, send},
    eventually,
    program::{pitboss, run, stderr, stdout},
    sandbox::shared,
    unique,
};

fn new(scopes: &[&str], more: Value) -> Value {
    let mut key = json!({ "name": unique("key"), "person": "Ann Example", "scopes": scopes });
    key.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    key
}

async fn make(client: &Client, scopes: &[&str], more: Value) -> Answer {
    client.post("/v1/keys", &new(scopes, more)).await.ok()
}

async fn patch(client: &Client, id: &str, body: Value) -> Answer {
    let request = client
        .http(Method::PATCH, &format!("/v1/keys/{id}"))
        .bearer_auth(&client.at.operator_key);
    send(request.json(&body)).await
}

/// The actions of the audit log about a key, oldest first.
async fn noted(client: &Client, id: &str) -> Vec<Value> {
    let log = client
        .get(&format!("/v1/audit?subject=key/{id}"))
        .await
        .ok();
    let mut entries = log.json["data"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

fn actions(entries: &[Value]) -> Vec<&str> {
    entries
        .iter()
        .map(|entry| entry["action"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn a_key_is_made_shown_once_changed_rotated_and_revoked_and_each_is_noted() {
    let client = shared().await;
    let restricted = json!({
        "allowed_addresses": ["127.0.0.1", "2001:db8::/32"],
        "rate": { "per_s": 50, "burst": 100 },
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let body = new(&["players:read", "games:read"], restricted);
    let once = unique("idempotent");
    let made = client.post_once("/v1/keys", &once, &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let again = client.post_once("/v1/keys", &once, &body).await;
    assert_eq!(
        (again.header("idempotency-replayed"), &again.text),
        ("true", &made.text)
    );
    let (id, secret) = (made.text_at("/id"), made.text_at("/secret"));
    assert!(secret.starts_with("sk_test_") && secret.starts_with(&made.text_at("/prefix")));
    let shown = client.get(&format!("/v1/keys/{id}")).await.ok();
    assert!(shown.json.get("secret").is_none() && !shown.text.contains(&secret));
    assert_eq!(
        shown.json["allowed_addresses"],
        json!(["127.0.0.1/32", "2001:db8::/32"])
    );
    assert_eq!(shown.json["scopes"], json!(["players:read", "games:read"]));
    assert_eq!(
        (shown.text_at("/state"), shown.text_at("/person")),
        ("live".into(), "Ann Example".into())
    );

    let ours = client.with_key(&secret);
    ours.get("/v1/games").await.ok();
    ours.get("/v1/webhooks").await.refused(403, "forbidden");
    eventually("its use is noted", async || {
        let shown = client.get(&format!("/v1/keys/{id}")).await.ok();
        (shown.json["last_used_address"] == "127.0.0.1" && shown.json["last_used_at"].is_string())
            .then_some(())
    })
    .await;

    let change = json!({ "scopes": ["webhooks:read"], "rate": null, "name": "renamed" });
    let changed = patch(&client, &id, change).await.ok();
    assert_eq!(
        (&changed.json["rate"], &changed.json["expires_at"]),
        (&Value::Null, &shown.json["expires_at"])
    );
    ours.get("/v1/games").await.refused(403, "forbidden");
    ours.get("/v1/webhooks").await.ok();
    // Nothing new: no entry.
    patch(&client, &id, json!({ "name": "renamed" })).await.ok();

    let rotate = format!("/v1/keys/{id}/rotate");
    let rotated = client.post(&rotate, &json!({ "grace_s": 600 })).await.ok();
    let second = rotated.text_at("/secret");
    assert_eq!(rotated.json["secrets"][0]["state"], "current");
    assert_eq!(rotated.json["secrets"][1]["state"], "old");
    assert_eq!(rotated.json["secrets"][1]["prefix"], made.json["prefix"]);
    for key in [&secret, &second] {
        client.with_key(key).get("/v1/webhooks").await.ok();
    }
    let rotated = client.post(&rotate, &json!({ "grace_s": 0 })).await.ok();
    let third = rotated.text_at("/secret");
    assert_eq!(rotated.json["secrets"].as_array().unwrap().len(), 1);
    for key in [&secret, &second] {
        client
            .with_key(key)
            .get("/v1/webhooks")
            .await
            .refused(401, "unauthorized");
    }
    client.with_key(&third).get("/v1/webhooks").await.ok();

    let revoke = format!("/v1/keys/{id}/revoke");
    let revoked = client
        .post(&revoke, &json!({ "reason": "over" }))
        .await
        .ok();
    assert_eq!(revoked.text_at("/state"), "revoked");
    client
        .with_key(&third)
        .get("/v1/webhooks")
        .await
        .refused(401, "unauthorized");
    client.post(&revoke, &json!({})).await.ok();
    patch(&client, &id, json!({ "name": "x" }))
        .await
        .refused(422, "malformed");
    client
        .post(&rotate, &json!({}))
        .await
        .refused(422, "malformed");

    let entries = noted(&client, &id).await;
    let expected = [
        "key.created",
        "key.changed",
        "key.rotated",
        "key.rotated",
        "key.revoked",
    ];
    assert_eq!(actions(&entries), expected);
    assert_eq!(entries[0]["actor"]["person"], "sandbox");
    assert_eq!(entries[0]["actor"]["address"], "127.0.0.1");
    assert_eq!(entries[1]["detail"]["before"]["name"], body["name"]);
    assert_eq!(entries[1]["detail"]["after"]["name"], "renamed");
    assert_eq!(entries[4]["detail"]["reason"], "over");
    let text = json!(entries).to_string();
    assert!(
        ![&secret, &second, &third]
            .iter()
            .any(|secret| text.contains(secret.as_str()))
    );
    // Subscribers hear of each, under the entry's id.
    let events = client.get("/v1/events?type=key.*&limit=200").await.ok();
    let events = events.json["data"].as_array().unwrap();
    let of_key = events
        .iter()
        .filter(|event| event["data"]["subject"] == format!("key/{id}"));
    let of_key: Vec<&Value> = of_key.collect();
    assert_eq!(
        of_key
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect::<Vec<_>>(),
        expected
    );
    for (event, entry) in of_key.iter().zip(&entries) {
        assert_eq!(
            (&event["id"], &event["data"]["entry"]),
            (&entry["id"], &entry["number"])
        );
        assert_eq!(
            (&event["player"], &event["data"]["detail"]),
            (&Value::Null, &entry["detail"])
        );
    }
}

#[tokio::test]
async fn no_key_gives_out_more_than_it_has_nor_changes_or_revokes_itself() {
    let client = shared().await;
    let restriction = json!({
        "allowed_addresses": ["127.0.0.0/8"],
        "rate": { "per_s": 50, "burst": 100 },
        "expires_at": "2099-01-01T00:00:00Z",
    });
    let scopes = ["keys:read", "keys:write", "games:read"];
    let made = make(&client, &scopes, restriction.clone()).await;
    let id = made.text_at("/id");
    let small = client.with_key(&made.text_at("/secret"));
    let with = |field: &str, value: Value| {
        let mut more = restriction.clone();
        more[field] = value;
        more
    };
    let count = async || {
        client.get("/v1/keys?limit=200").await.ok().json["data"]
            .as_array()
            .unwrap()
            .len()
    };
    let before = count().await;
    for (scopes, more) in [
        (&["*"][..], restriction.clone()),
        (&["games:read", "games:write"], restriction.clone()),
        (&["games:read"], with("allowed_addresses", json!([]))),
        (
            &["games:read"],
            with("allowed_addresses", json!(["127.0.0.1", "192.0.2.1"])),
        ),
        (&["games:read"], with("rate", Value::Null)),
        (
            &["games:read"],
            with("rate", json!({ "per_s": 51, "burst": 100 })),
        ),
        (&["games:read"], with("expires_at", Value::Null)),
        (
            &["games:read"],
            with("expires_at", json!("2099-01-01T00:00:01Z")),
        ),
    ] {
        let refused = small.post("/v1/keys", &new(scopes, more)).await;
        refused.refused(403, "forbidden");
    }
    // Itself it may rotate, no more.
    patch(&small, &id, json!({ "scopes": ["keys:write"] }))
        .await
        .refused(403, "forbidden");
    let revoke = format!("/v1/keys/{id}/revoke");
    small
        .post(&revoke, &json!({}))
        .await
        .refused(403, "forbidden");
    // A key that may do more is not to be had through it: not its secret, nor changed to what it has not.
    let strong = make(&client, &["*"], json!({})).await.text_at("/id");
    small
        .post(&format!("/v1/keys/{strong}/rotate"), &json!({}))
        .await
        .refused(403, "forbidden");
    patch(&small, &strong, json!({ "name": "mine" }))
        .await
        .refused(403, "forbidden");
    assert_eq!(count().await, before + 1);
    assert_eq!(actions(&noted(&client, &id).await), ["key.created"]);
    assert_eq!(actions(&noted(&client, &strong).await), ["key.created"]);

    // What it has it gives: and whoever made a key, or the key that made it, is known.
    let child = make(&small, &["games:read", "keys:write"], restriction.clone()).await;
    assert_eq!(child.json["issuers"], json!(["ann example", "sandbox"]));
    client
        .with_key(&child.text_at("/secret"))
        .get("/v1/games")
        .await
        .ok();
    let narrower = json!({ "scopes": ["games:read"] });
    patch(&small, &child.text_at("/id"), narrower).await.ok();
    // Revoking gives nothing out: whoever holds keys:write may always do it.
    small
        .post(&format!("/v1/keys/{strong}/revoke"), &json!({}))
        .await
        .ok();
    let rotated = small
        .post(&format!("/v1/keys/{id}/rotate"), &json!({}))
        .await
        .ok();
    client
        .with_key(&rotated.text_at("/secret"))
        .get("/v1/games")
        .await
        .ok();
    for wrong in [
        json!({ "scopes": [] }),
        json!({ "scopes": ["players"] }),
        json!({ "expires_at": "2020-01-01T00:00:00Z" }),
        json!({ "allowed_addresses": ["10.0.0.0/33"] }),
        json!({ "rate": { "per_s": 0, "burst": 1 } }),
        json!({ "person": " " }),
    ] {
        client
            .post("/v1/keys", &new(&["*"], wrong))
            .await
            .refused(422, "malformed");
    }
}

#[tokio::test]
async fn a_key_that_asks_too_often_is_told_when_to_come_back() {
    let client = shared().await;
    let slow = json!({ "rate": { "per_s": 1, "burst": 2 } });
    let made = make(&client, &["*"], slow).await;
    let key = client.with_key(&made.text_at("/secret"));
    let refused = eventually("it is too often", async || {
        let answer = key.get("/v1/games").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    let refused = refused.refused(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    // Others are not held up by it.
    client.get("/v1/games").await.ok();
    let metrics = client.admin("/metrics").await.ok().text;
    assert!(
        metrics.contains("pitboss_keys_rate_limited_total"),
        "{metrics}"
    );
}

/// The end of a long poll: its text.
async fn waits_for_events(client: Client) -> String {
    client
        .get("/v1/events?after=newest&type=withdrawal.*&wait=300")
        .await
        .ok()
        .text
}

#[tokio::test]
async fn a_revoked_key_ends_on_every_node_also_where_it_waits() {
    let casino = Casino::start("key-nodes", &["sandbox"]).await;
    let settings = "[events]\nwait_max_s = 300\n";
    let (one, two) = tokio::join!(casino.serve(settings), casino.serve(settings));
    let nodes = [
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    ];
    let made = make(&nodes[0], &["*"], json!({})).await;
    let (id, secret) = (made.text_at("/id"), made.text_at("/secret"));
    let waiting: Vec<_> = nodes
        .iter()
        .map(|node| tokio::spawn(waits_for_events(node.with_key(&secret))))
        .collect();
    for node in &nodes {
        eventually("somebody waits", async || {
            let metrics = node.admin("/metrics").await.ok().text;
            metrics
                .contains("pitboss_event_waiters{environment=\"sandbox\"} 1")
                .then_some(())
        })
        .await;
    }
    assert!(waiting.iter().all(|poll| !poll.is_finished()));
    nodes[0]
        .post(&format!("/v1/keys/{id}/revoke"), &json!({}))
        .await
        .ok();
    // Here at once, there when it looks again.
    nodes[0]
        .with_key(&secret)
        .get("/v1/games")
        .await
        .refused(401, "unauthorized");
    let there = nodes[1].with_key(&secret);
    let refused = eventually("the other node has heard of it", async || {
        Some(there.get("/v1/games").await).filter(|answer| answer.status != 200)
    });
    refused.await.refused(401, "unauthorized");
    for poll in waiting {
        // They would have waited for 300 seconds.
        let text = tokio::time::timeout(Duration::from_secs(120), poll)
            .await
            .unwrap()
            .unwrap();
        assert!(text.contains("\"data\":[]"), "{text}");
    }
}

#[tokio::test]
async fn the_clients_address_is_what_the_last_of_our_proxies_says() {
    let casino = Casino::start("key-proxies", &["sandbox"]).await;
    let node = casino.serve("[server]\ntrusted_hops = 1\n").await;
    let client = casino.client(&node, "sandbox");
    let networks = json!({ "allowed_addresses": ["203.0.113.0/24"] });
    let made = make(&client, &["*"], networks).await;
    let ask = async |forwarded: &[&str]| {
        let mut request = client
            .http(Method::GET, "/v1/games")
            .bearer_auth(made.text_at("/secret"));
        for line in forwarded {
            request = request.header("X-Forwarded-For", *line);
        }
        send(request).await
    };
    ask(&["203.0.113.9"]).await.ok();
    ask(&["198.51.100.1, 203.0.113.9"]).await.ok();
    ask(&["198.51.100.1", "203.0.113.9"]).await.ok();
    for foreign in [
        &[][..],
        &[""],
        &["203.0.113.9, 198.51.100.1"],
        &["203.0.113.9", "198.51.100.1"],
        &["203.0.113.9, unknown"],
        &["203.0.113.9,"],
    ] {
        ask(foreign).await.refused(403, "forbidden");
    }
    eventually("the address is noted", async || {
        let path = format!("/v1/keys/{}", made.text_at("/id"));
        let shown = client.get(&path).await.ok();
        (shown.json["last_used_address"] == "203.0.113.9").then_some(())
    })
    .await;
}

#[tokio::test]
async fn keys_are_made_listed_and_revoked_on_the_command_line() {
    let casino = Casino::start("key-commands", &["sandbox", "live"]).await;
    let config = casino.config("", 1, 1);
    let command = |verb: &'static str, environment: &'static str, more: &[&str]| {
        let common = [
            "keys",
            verb,
            "--config",
            config.to_str().unwrap(),
            "--environment",
            environment,
        ];
        [&common[..], more]
            .concat()
            .iter()
            .map(|arg| (*arg).to_owned())
            .collect::<Vec<_>>()
    };
    let run = async |args: Vec<String>| {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        run(pitboss(&args)).await
    };
    let options = [
        "--name",
        "reports",
        "--person",
        "Ann",
        "--scopes",
        "reports:read,players:read",
        "--allow",
        "127.0.0.0/8",
        "--rate",
        "5:10",
        "--expires",
        "2099-01-01T00:00:00Z",
    ];
    let made = run(command("create", "live", &options)).await;
    assert!(made.status.success(), "{}", stderr(&made));
    let secret = stdout(&made).trim().to_owned();
    let node = casino.serve("").await;
    let live = casino.client(&node, "live");
    let keys = live.get("/v1/keys").await.ok();
    let key = keys.json["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["name"] == "reports")
        .unwrap();
    assert_eq!(key["scopes"], json!(["players:read", "reports:read"]));
    assert_eq!(
        (&key["person"], &key["issuers"]),
        (&json!("Ann"), &json!([]))
    );
    assert_eq!(key["rate"], json!({ "per_s": 5, "burst": 10 }));
    live.with_key(&secret)
        .get("/v1/games")
        .await
        .refused(403, "forbidden");

    let table = stdout(&run(command("list", "live", &[])).await);
    let line = table.lines().find(|line| line.contains("reports")).unwrap();
    for cell in [
        key["id"].as_str().unwrap(),
        &secret[..12],
        "until 2099-01-01T00:00:00Z",
        "Ann",
    ] {
        assert!(line.contains(cell), "{cell}: {table}");
    }
    assert!(
        !table.contains(&secret) && table.ends_with("3 keys\n"),
        "{table}"
    );

    let id = key["id"].as_str().unwrap();
    let revoked = run(command("revoke", "live", &["--id", id, "--reason", "lost"])).await;
    assert!(revoked.status.success(), "{}", stderr(&revoked));
    let refused = eventually("the server has heard of it", async || {
        Some(live.with_key(&secret).get("/v1/games").await).filter(|answer| answer.status == 401)
    });
    refused.await.refused(401, "unauthorized");
    let entries = noted(&live, id).await;
    assert_eq!(actions(&entries), ["key.created", "key.revoked"]);
    assert_eq!(entries[1]["actor"]["kind"], "command_line");
    assert!(stdout(&run(command("list", "live", &[])).await).contains("revoked"));

    for (wrong, said) in [
        (&["--name", "x", "--scopes", "players"][..], "players:read"),
        (
            &["--name", "x", "--allow", "10.0.0.0/99"],
            "must be a network",
        ),
        (
            &["--name", "x", "--expires", "2020-01-01T00:00:00Z"],
            "--expires",
        ),
        (&["--name", " "], "--name"),
        (&["--name", "x", "--rate", "0:1"], "100:200"),
    ] {
        let output = run(command("create", "live", wrong)).await;
        assert!(
            !output.status.success() && stderr(&output).contains(said),
            "{}",
            stderr(&output)
        );
    }
    // The other world's database is refused, whatever the configuration says.
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, text.replace("casino_live", "casino_sandbox")).unwrap();
    let output = run(command("create", "live", &["--name", "x"])).await;
    assert!(
        !output.status.success() && stderr(&output).contains("must never touch it"),
        "{}",
        stderr(&output)
    );
}

#[tokio::test]
async fn changes_of_keys_reach_whoever_listens_on_nats() {
    let casino = Casino::start("key-bus", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let bus = Bus::listen(&client.at.nats).await;
    let made = make(&client, &["games:read"], json!({})).await;
    let subject = format!("key/{}", made.text_at("/id"));
    let found = eventually("the event is kept", async || {
        let kept = bus.kept("SYSTEM").await;
        kept.into_iter()
            .find(|heard| heard.event["data"]["subject"] == subject)
    })
    .await;
    assert_eq!(found.event["type"], "key.created");
    assert_eq!(found.event["player"], Value::Null);
    done(&[
        "audit",
        "--config",
        casino.config("", 1, 1).to_str().unwrap(),
    ])
    .await;
}
