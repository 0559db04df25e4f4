//! Webhooks: signed, in order, at least once, retried, and never in anybody's way.

use std::collections::HashSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    client::{Answer, Client, send},
    eventually,
    player::{EVENTS, Player},
    receiver::Receiver,
};

/// Pauses so short that a test sees the end of them.
const QUICK: &str = "[webhooks]\nretry_s = [1, 1]\nprobe_max_s = 1\nlease_s = 3\n";

/// A new endpoint, as the answer shows it.
async fn endpoint(client: &Client, url: &str, more: Value) -> Answer {
    let mut body = json!({ "url": url });
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    client.post("/v1/webhooks", &body).await.ok()
}

async fn shown(client: &Client, id: &str) -> Value {
    client.get(&format!("/v1/webhooks/{id}")).await.ok().json
}

async fn until_shown(client: &Client, id: &str, what: &str, found: impl Fn(&Value) -> bool) {
    eventually(what, async || found(&shown(client, id).await).then_some(())).await;
}

async fn method(client: &Client, method: Method, path: &str, body: &Value) -> Answer {
    let request = client
        .http(method, path)
        .bearer_auth(&client.at.operator_key);
    send(request.json(body)).await
}

async fn bet(client: &Client, player: &Player, id: &str) {
    client.callback("bet", &player.bet(id, "0.01")).await.ok();
}

/// What comes first of a player.
const BEFORE: i64 = EVENTS;

fn up_to(last: i64) -> Vec<i64> {
    (1..=last).collect()
}

#[tokio::test]
async fn every_event_is_delivered_once_in_order_and_signed_and_a_rotated_secret_goes_on_for_a_while()
 {
    let casino = Casino::start("webhooks", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    let receiver = Receiver::start().await;
    let made = endpoint(&client, &format!("{}/in?x=1", receiver.url), json!({})).await;
    let (id, first) = (made.text_at("/id"), made.text_at("/secret"));
    assert!(
        id.starts_with("wh_") && first.starts_with("whsec_"),
        "{}",
        made.text
    );
    let bets_only = Receiver::start().await;
    let types = json!({ "types": ["wallet.bet_debited", "withdrawal.*"] });
    endpoint(&client, &bets_only.url, types).await;

    let mut players = Vec::new();
    for _ in 0..4 {
        players.push(Player::with(&client, "10.00").await);
    }
    futures_util::future::join_all(players.iter().map(async |player| {
        for index in 0..10 {
            bet(&client, player, &format!("b{index}")).await;
        }
    }))
    .await;
    let last = BEFORE + 20;
    for player in &players {
        receiver.until_seq(&player.id, last).await;
        bets_only.until_seq(&player.id, last).await;
        assert_eq!(receiver.taken(&player.id), up_to(last), "once, in order");
        assert_eq!(bets_only.taken(&player.id).len(), 10);
    }
    for delivery in receiver.deliveries() {
        assert_eq!(delivery.path, "/in?x=1");
        assert_eq!(delivery.id, delivery.event["id"]);
        assert!(delivery.is_signed_with(&first));
        assert!(!delivery.is_signed_with("whsec_AAAA"));
    }

    // Both secrets while one is rotated out, then the new one alone.
    let path = format!("/v1/webhooks/{id}");
    let rotated = client
        .post(&format!("{path}/rotate"), &json!({ "grace_s": 600 }))
        .await
        .ok();
    let second = rotated.text_at("/secret");
    assert_ne!(first, second);
    assert!(rotated.json["old_secret_until"].is_string());
    let tested = client.post(&format!("{path}/test"), &json!({})).await.ok();
    assert_eq!(tested.json["delivered"], true, "{}", tested.text);
    let test = receiver.deliveries().pop().unwrap();
    assert_eq!(test.event["type"], "webhook.test");
    assert!(test.is_signed_with(&first) && test.is_signed_with(&second));
    let rotated = client
        .post(&format!("{path}/rotate"), &json!({ "grace_s": 0 }))
        .await
        .ok();
    let third = rotated.text_at("/secret");
    // The task that serves the endpoint takes the new secret up, too, and goes on where it was.
    bet(&client, &players[0], "after").await;
    receiver.until_seq(&players[0].id, last + 2).await;
    assert_eq!(receiver.taken(&players[0].id), up_to(last + 2));
    let deliveries = receiver.deliveries();
    let newest = deliveries
        .iter()
        .find(|delivery| delivery.is_of(&players[0].id) && delivery.event["seq"] == last + 2);
    let newest = newest.unwrap();
    assert!(newest.is_signed_with(&third));
    assert!(!newest.is_signed_with(&first) && !newest.is_signed_with(&second));
    // Whoever looks later sees no secret.
    let view = client.get(&path).await.ok();
    assert!(!view.text.contains("whsec_"), "{}", view.text);
    assert!(view.json["last_success_at"].is_string());
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_becomes_a_dead_letter_and_can_be_replayed() {
    let casino = Casino::start("webhooks-dead", &["sandbox"]).await;
    let node = casino.serve(QUICK).await;
    let client = casino.client(&node, "sandbox");
    let receiver = Receiver::start().await;
    let id = endpoint(&client, &receiver.url, json!({}))
        .await
        .text_at("/id");
    let path = format!("/v1/webhooks/{id}");
    let player = Player::with(&client, "10.00").await;
    receiver.until_seq(&player.id, BEFORE).await;

    // Refused once: it comes again, and the one behind it did not wait for it.
    receiver.answer(|delivery| {
        let again = delivery.event["data"]["provider_transaction_id"] == "once";
        (if again { 500 } else { 200 }, "")
    });
    bet(&client, &player, "once").await;
    bet(&client, &player, "poison").await;
    receiver.until_seq(&player.id, BEFORE + 4).await;
    assert!(!receiver.taken(&player.id).contains(&(BEFORE + 2)));
    receiver.answer(|delivery| {
        let poison = delivery.event["data"]["provider_transaction_id"] == "poison";
        (if poison { 500 } else { 200 }, "")
    });
    receiver.until_seq(&player.id, BEFORE + 2).await;

    // Refused for ever: a dead letter after the last pause, while others go on.
    bet(&client, &player, "poison").await;
    client
        .callback("win", &player.win("poison", "once", "0.01"))
        .await
        .ok();
    bet(&client, &player, "good").await;
    receiver.until_seq(&player.id, BEFORE + 7).await;
    until_shown(&client, &id, "a dead letter", |view| view["dead"] == 1).await;
    let letters = client.get(&format!("{path}/dead")).await.ok();
    let letter = &letters.json["data"][0];
    assert_eq!(letter["attempts"], 3);
    assert_eq!(letter["type"], "wallet.win_credited");
    assert_eq!(letter["body"]["seq"], BEFORE + 5);
    assert_eq!(letter["last_error"], "it answered 500");
    assert_eq!(shown(&client, &id).await["enabled"], true);
    let tried = |deliveries: &[crate::support::receiver::Delivery]| {
        let event = letter["event"].as_str().unwrap();
        deliveries
            .iter()
            .filter(|delivery| delivery.id == event)
            .count()
    };
    assert_eq!(tried(&receiver.deliveries()), 3);

    // Replayed: all dead letters, one event, and everything from a time.
    receiver.answer(|_| (200, ""));
    let replay = format!("{path}/replay");
    let answer = client.post(&replay, &json!({ "dead": true })).await;
    assert_eq!(
        (answer.status, &answer.json["queued"]),
        (202, &json!(1)),
        "{}",
        answer.text
    );
    receiver.until_seq(&player.id, BEFORE + 5).await;
    until_shown(&client, &id, "no dead letter", |view| {
        view["dead"] == 0 && view["waiting"] == 0
    })
    .await;
    let of_seq = |seq: i64| {
        receiver
            .taken(&player.id)
            .iter()
            .filter(|taken| **taken == seq)
            .count()
    };
    let opened = receiver
        .deliveries()
        .into_iter()
        .find(|delivery| delivery.is_of(&player.id) && delivery.event["seq"] == 2)
        .unwrap();
    assert_eq!(of_seq(2), 1);
    let answer = client.post(&replay, &json!({ "event": opened.id })).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    eventually("the event comes again", async || {
        (of_seq(2) == 2).then_some(())
    })
    .await;
    let from = opened.event["time"].as_str().unwrap();
    let answer = client.post(&replay, &json!({ "from": from })).await;
    assert_eq!((answer.status, &answer.json["queued"]), (202, &Value::Null));
    eventually("everything comes again", async || {
        (of_seq(BEFORE + 7) == 2 && of_seq(3) == 2).then_some(())
    })
    .await;
    for wrong in [
        json!({}),
        json!({ "dead": false }),
        json!({ "dead": true, "from": from }),
        json!({ "from": "yesterday" }),
        json!({ "event": "x" }),
    ] {
        client.post(&replay, &wrong).await.refused(422, "malformed");
    }
    let nobody = json!({ "event": "019a0000-0000-7000-8000-000000000000" });
    client
        .post(&replay, &nobody)
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn an_endpoint_that_is_away_costs_nothing_and_gets_everything_in_the_end_also_after_a_crash()
{
    let casino = Casino::start("webhooks-crash", &["sandbox"]).await;
    let mut node = casino.serve(QUICK).await;
    let client = casino.client(&node, "sandbox");
    let ledger = casino.ledger("sandbox").await;
    let receiver = Receiver::start().await;
    let id = endpoint(&client, &receiver.url, json!({}))
        .await
        .text_at("/id");
    let player = Player::with(&client, "10.00").await;
    receiver.until_seq(&player.id, BEFORE).await;

    receiver.answer(|_| (503, ""));
    for index in 0..20 {
        bet(&client, &player, &format!("a{index}")).await;
    }
    until_shown(&client, &id, "it is only probed", |view| {
        view["failures"].as_u64() >= Some(4) && view["failing_since"].is_string()
    })
    .await;
    let rows = "SELECT count(*) FROM webhook_message WHERE $1 <> ''";
    assert!(
        ledger.number(rows, &player.id).await <= 2,
        "one row per event"
    );

    // kill -9 while it fails, and more happens before it is back.
    node.program.kill().await;
    casino.serve_again(&mut node).await;
    receiver.answer(|_| (200, ""));
    bet(&client, &player, "b").await;
    let last = BEFORE + 42;
    eventually("everything is delivered", async || {
        let taken: HashSet<i64> = receiver.taken(&player.id).into_iter().collect();
        (taken == up_to(last).into_iter().collect()).then_some(())
    })
    .await;
    until_shown(&client, &id, "it is well again", |view| {
        view["failures"] == 0 && view["failing_since"].is_null() && view["waiting"] == 0
    })
    .await;

    // "Slow down" is obeyed; nothing is lost by it.
    receiver.answer(|_| (429, "retry-after: 1"));
    bet(&client, &player, "c").await;
    until_shown(&client, &id, "it has to wait", |view| {
        view["last_error"] == "it asked to slow down"
    })
    .await;
    receiver.answer(|_| (200, ""));
    receiver.until_seq(&player.id, last + 2).await;

    // 410: disabled, and enabled again by hand, with what happened meanwhile.
    receiver.answer(|_| (410, ""));
    bet(&client, &player, "d").await;
    until_shown(&client, &id, "it is disabled", |view| {
        view["enabled"] == false && view["disabled_by"] == "gone"
    })
    .await;
    receiver.answer(|_| (200, ""));
    let path = format!("/v1/webhooks/{id}");
    let enabled = method(&client, Method::PATCH, &path, &json!({ "enabled": true }))
        .await
        .ok();
    assert_eq!(enabled.json["enabled"], true);
    receiver.until_seq(&player.id, last + 4).await;

    // A redirect is not followed, and is a failure.
    let elsewhere = Receiver::start().await;
    let location: &'static str =
        Box::leak(format!("location: {}/", elsewhere.url).into_boxed_str());
    receiver.answer(move |_| (307, location));
    let tested = client.post(&format!("{path}/test"), &json!({})).await.ok();
    assert_eq!(tested.json["error"], "it answered 307");
    assert!(elsewhere.deliveries().is_empty());

    // Deleted: nothing more.
    let count = receiver.deliveries().len();
    method(&client, Method::DELETE, &path, &json!({})).await;
    client.get(&path).await.refused(404, "not_found");
    assert_eq!(ledger.number(rows, &player.id).await, 0);
    assert!(receiver.deliveries().len() >= count);
}

#[tokio::test]
async fn two_nodes_deliver_each_event_once_and_one_takes_over_from_the_other() {
    let casino = Casino::start("webhooks-nodes", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(QUICK), casino.serve(QUICK));
    let mut nodes = [one, two];
    let clients = [
        casino.client(&nodes[0], "sandbox"),
        casino.client(&nodes[1], "sandbox"),
    ];
    let receiver = Receiver::start().await;
    endpoint(&clients[0], &receiver.url, json!({})).await;
    let player = Player::with(&clients[0], "10.00").await;
    for index in 0..20 {
        bet(&clients[index % 2], &player, &format!("b{index}")).await;
    }
    receiver.until_seq(&player.id, BEFORE + 40).await;
    assert_eq!(receiver.taken(&player.id), up_to(BEFORE + 40));
    // A rolling restart: the other node goes on where this one was.
    nodes[0].program.terminate().await;
    for index in 0..10 {
        bet(&clients[1], &player, &format!("c{index}")).await;
    }
    receiver.until_seq(&player.id, BEFORE + 60).await;
    assert_eq!(receiver.taken(&player.id), up_to(BEFORE + 60));
}

#[tokio::test]
async fn live_is_sent_to_public_addresses_over_https_alone() {
    let casino = Casino::start("webhooks-live", &["live", "sandbox"]).await;
    let node = casino.serve("").await;
    let live = casino.client(&node, "live");
    let create = async |client: &Client, url: &str| {
        client.post("/v1/webhooks", &json!({ "url": url })).await
    };
    for url in [
        "http://hooks.example/",
        "http://localhost:9/",
        "https://127.0.0.1/",
        "https://10.1.2.3/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://user:secret@hooks.example/",
        "file:///etc/passwd",
        "hooks",
    ] {
        let answer = create(&live, url).await.refused(422, "malformed");
        assert!(answer.text.contains("url"), "{}", answer.text);
    }
    // A name that leads inside is found out when it is connected to.
    let id = create(&live, "https://localhost:9/")
        .await
        .ok()
        .text_at("/id");
    let path = format!("/v1/webhooks/{id}/test");
    let tested = live.post(&path, &json!({})).await.ok();
    assert_eq!(
        tested.json["error"],
        "leads to an address that is not public"
    );
    // What belongs to one environment is not there for the other (INV-12).
    let sandbox = casino.client(&node, "sandbox");
    sandbox
        .get(&format!("/v1/webhooks/{id}"))
        .await
        .refused(404, "not_found");
    assert_eq!(
        sandbox.get("/v1/webhooks").await.ok().json["data"],
        json!([])
    );
    create(&sandbox, "http://127.0.0.1:9/").await.ok();
    create(&sandbox, "http://10.0.0.1/")
        .await
        .refused(422, "malformed");
}

#[tokio::test]
async fn endpoints_are_made_changed_listed_and_deleted_and_wrong_ones_are_refused_by_name() {
    let casino = Casino::start("webhooks-rest", &["sandbox"]).await;
    let node = casino.serve("[webhooks]\nendpoints_max = 5\n").await;
    let client = casino.client(&node, "sandbox");
    let body = json!({ "url": "http://127.0.0.1:9/", "description": "ours" });
    let first = client.post_once("/v1/webhooks", "k1", &body).await.ok();
    let again = client.post_once("/v1/webhooks", "k1", &body).await.ok();
    assert_eq!(again.text, first.text, "the secret, too");
    assert_eq!(again.header("idempotency-replayed"), "true");
    let mut ids = vec![first.text_at("/id")];
    for _ in 0..4 {
        ids.push(client.post("/v1/webhooks", &body).await.ok().text_at("/id"));
    }
    let answer = client.post("/v1/webhooks", &body).await;
    answer.refused(409, "webhook_limit");
    ids.reverse();
    for limit in [1, 2, 5] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = client
                .get(&format!("/v1/webhooks?limit={limit}{after}"))
                .await
                .ok();
            let rows = page.json["data"].as_array().unwrap();
            seen.extend(
                rows.iter()
                    .map(|row| row["id"].as_str().unwrap().to_owned()),
            );
            match page.json["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
        assert_eq!(seen, ids, "newest first, limit {limit}");
    }
    let path = format!("/v1/webhooks/{}", ids[0]);
    let change = json!({ "types": ["game.*"], "description": "theirs", "enabled": false });
    let changed = method(&client, Method::PATCH, &path, &change).await.ok();
    assert_eq!(changed.json["types"], json!(["game.*"]));
    assert_eq!(changed.json["disabled_by"], "operator");
    assert_eq!(changed.json["url"], "http://127.0.0.1:9/");
    for (wrong, code) in [
        (json!({ "types": ["wallet.nothing"] }), "malformed"),
        (json!({ "types": "game.*" }), "malformed"),
        (json!({ "url": "http://10.0.0.1/" }), "malformed"),
        (json!({ "description": "x".repeat(256) }), "malformed"),
        (json!({ "secret": "whsec_mine" }), "unknown_field"),
    ] {
        method(&client, Method::PATCH, &path, &wrong)
            .await
            .refused(422, code);
        let mut new = wrong.clone();
        if new["url"].is_null() {
            new["url"] = body["url"].clone();
        }
        client.post("/v1/webhooks", &new).await.refused(422, code);
    }
    let cursor = json!({ "url": body["url"], "after": "x" });
    client
        .post("/v1/webhooks", &cursor)
        .await
        .refused(422, "malformed");
    // Ids that are no event's, also with times that nobody lived in.
    for event in [
        "00000000-0000-0000-0000-000000000000",
        "00000000-0000-1000-8000-000000000000",
        "ffffffff-ffff-7fff-bfff-ffffffffffff",
    ] {
        let replay = client
            .post(&format!("{path}/replay"), &json!({ "event": event }))
            .await;
        replay.refused(404, "not_found");
    }
    for unknown in ["wh_0", "x", "wh_00000000000000000000000000000000"] {
        let path = format!("/v1/webhooks/{unknown}");
        client.get(&path).await.refused(404, "not_found");
        client
            .get(&format!("{path}/dead"))
            .await
            .refused(404, "not_found");
        method(&client, Method::DELETE, &path, &json!({}))
            .await
            .refused(404, "not_found");
        for action in ["rotate", "test"] {
            let answer = client.post(&format!("{path}/{action}"), &json!({})).await;
            answer.refused(404, "not_found");
        }
    }
    let deleted = method(&client, Method::DELETE, &path, &json!({})).await;
    assert_eq!(deleted.status, 204);
    method(&client, Method::PUT, "/v1/webhooks", &body)
        .await
        .refused(405, "method_not_allowed");
    send(client.http(Method::GET, "/v1/webhooks"))
        .await
        .refused(401, "unauthorized");
}
