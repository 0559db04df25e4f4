//! Operator keys: restricted, rotated, counted, revoked, and never more than the key that made them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client, send},
    eventually,
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

pub async fn make(client: &Client, scopes: &[&str], more: Value) -> Answer {
    client.post("/v1/keys", &new(scopes, more)).await.ok()
}

async fn patch(client: &Client, id: &str, body: Value) -> Answer {
    let request = client
        .http(Method::PATCH, &format!("/v1/keys/{id}"))
        .bearer_auth(&client.at.operator_key);
    send(request.json(&body)).await
}

/// The actions of the audit log about a key, oldest first.
pub async fn noted(client: &Client, id: &str) -> Vec<Value> {
    let log = client
        .get(&format!("/v1/audit?subject=key/{id}"))
        .await
        .ok();
    let mut entries = log.json["data"].as_array().unwrap().clone();
    entries.reverse();
    entries
}

pub fn actions(entries: &[Value]) -> Vec<&str> {
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
    let before = client.get("/v1/events?after=newest").await.ok();
    let before = before.text_at("/next");
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
    let events = format!("/v1/events?type=key.*&limit=200&after={before}");
    let events = client.get(&events).await.ok();
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

    // The second person of the sandbox sees the same keys.
    client
        .second_person()
        .get(&format!("/v1/keys/{id}"))
        .await
        .ok();
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
        json!({ "allowed_addresses": ["10.1.2.3/8"] }),
        json!({ "allowed_addresses": ["::ffff:10.0.0.1"] }),
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
    let first = key.get("/v1/games").await.ok();
    assert_eq!(first.header("ratelimit-policy"), "\"key\";q=2;w=2");
    assert_eq!(first.header("ratelimit"), "\"key\";r=1;t=1");
    let refused = eventually("it is too often", async || {
        let answer = key.get("/v1/games").await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    let refused = refused.refused(429, "rate_limited");
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("ratelimit"), "\"key\";r=0;t=2");
    // Every other answer to a key tells it too: of nothing found, of nothing new, of no right.
    let narrow = make(&client, &["games:read"], json!({})).await;
    let narrow = client.with_key(&narrow.text_at("/secret"));
    let tag = narrow.get("/v1/games/dice").await.ok();
    let same = narrow
        .http(Method::GET, "/v1/games/dice")
        .bearer_auth(&narrow.at.operator_key)
        .header("If-None-Match", tag.header("etag"));
    for (answer, status) in [
        (narrow.get("/v1/games/nothing").await, 404),
        (send(same).await, 304),
        (narrow.get("/v1/players").await, 403),
    ] {
        assert_eq!(answer.status, status);
        assert!(!answer.header("ratelimit").is_empty(), "{status}");
    }
    assert_eq!(
        client
            .with_key("sk_test_x")
            .get("/v1/games")
            .await
            .header("ratelimit"),
        ""
    );
    // Others are not held up by it.
    client.get("/v1/games").await.ok();
    let metrics = client.admin("/metrics").await.ok().text;
    assert!(
        metrics.contains("pitboss_keys_rate_limited_total"),
        "{metrics}"
    );
}
