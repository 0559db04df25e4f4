//! Two persons: adjustments and voids that one asks for and another approves.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    client::{Answer, Client},
    eventually,
    ledger::Ledger,
    player::Player,
    program::stdout,
    sandbox::shared,
    stream::Stream,
    unique,
};

fn adjustment(player: &Player, direction: &str, amount: &str) -> Value {
    json!({
        "player": player.id, "currency": "EUR", "amount": amount, "direction": direction, "reason": "paid twice",
        "category": "correction",
    })
}

async fn ask(client: &Client, body: &Value) -> String {
    let path = if body["round"].is_string() {
        "/v1/rounds/void"
    } else {
        "/v1/adjustments"
    };
    let answer = client.post(path, body).await;
    assert_eq!(answer.status, 202, "{}", answer.text);
    assert_eq!(answer.json["state"], "pending");
    answer.text_at("/id")
}

async fn approve(client: &Client, id: &str) -> Answer {
    client
        .post(&format!("/v1/approvals/{id}/approve"), &json!({}))
        .await
}

async fn reject(client: &Client, id: &str) -> Answer {
    let body = json!({ "reason": "not so" });
    client
        .post(&format!("/v1/approvals/{id}/reject"), &body)
        .await
}

async fn newest(client: &Client, player: &Player, kind: &str) -> Value {
    let path = format!("/v1/events?player={}&type={kind}&limit=200", player.id);
    let page = client.get(&path).await.ok();
    page.json["data"].as_array().unwrap().last().unwrap()["data"].clone()
}

#[tokio::test]
async fn an_adjustment_moves_when_another_person_approves_it() {
    let client = shared().await;
    let other = client.of_another_person(&unique("Dora")).await;
    let player = Player::with(&client, "100.00").await;
    let id = ask(&client, &adjustment(&player, "credit", "7.50")).await;
    assert_eq!(player.cash(&client).await, "100.00", "nobody approved it");
    let done = approve(&other, &id).await.ok();
    assert_eq!(done.json["state"], "approved");
    assert_eq!(player.cash(&client).await, "107.50");
    let told = newest(&client, &player, "wallet.adjusted").await;
    assert_eq!(told["approval"], id.as_str());
    assert_eq!(told["by"]["maker"], done.json["maker"]);
    assert_eq!(told["by"]["checker"], done.json["checker"]);
    // Again, by whoever decided it: the same answer, and nothing moves.
    assert_eq!(approve(&other, &id).await.ok().json, done.json);
    let third = client.of_another_person(&unique("Eve")).await;
    approve(&third, &id).await.refused(409, "approval_decided");
    reject(&other, &id).await.refused(409, "approval_decided");
    let ledger = Ledger::open(&client.at.postgres).await;
    assert_eq!(ledger.movements(&player.id, &id).await, 1);
    let path = format!("/v1/players/{}/statement?currency=EUR", player.id);
    let statement = client.get(&path).await.ok().json;
    let line = statement["data"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(
        (&line["kind"], &line["reference"]),
        (&json!("adjustment"), &json!(id))
    );
    let audited = "SELECT count(*) FROM audit_entry WHERE subject = 'approval/' || $1";
    assert_eq!(
        ledger.number(audited, &id).await,
        2,
        "requested and approved"
    );
    assert_eq!(ledger.audited_cash(&player.id).await, 107_500_000);
}

/// Names of staff and what they write for each other are none of the player's business, live or read again.
#[tokio::test]
async fn a_player_is_told_what_was_done_and_neither_by_whom_nor_why() {
    let client = shared().await;
    let other = client.of_another_person(&unique("Dora")).await;
    let player = Player::with(&client, "100.00").await;
    let mut live = Stream::open(&client, &player.token, "").await.unwrap();
    client.callback("bet", &player.bet("b1", "4.00")).await.ok();
    let void = json!({
        "player": player.id, "provider": client.at.providers[0].id, "round": "r-b1", "reason": "a secret reason",
    });
    let mut adjustment = adjustment(&player, "credit", "7.50");
    adjustment["reason"] = json!("a secret reason");
    for asked in [void, adjustment] {
        approve(&other, &ask(&client, &asked).await).await.ok();
    }
    let status = json!({ "status": "bets_blocked", "reason": "a secret reason" });
    let path = format!("/v1/players/{}/status", player.id);
    client.post(&path, &status).await.ok();
    let feed = format!("/v1/events?player={}&limit=200", player.id);
    let feed = client.get(&feed).await.ok();
    let feed = feed.json["data"].as_array().unwrap();
    let last = feed.last().unwrap()["seq"].as_i64().unwrap();
    let mut again = Stream::open(&client, &player.token, "?after=0")
        .await
        .unwrap();
    let (seen, again) = (live.until(last).await, again.until(last).await);
    assert!(again.ends_with(&seen));
    for kind in [
        "game.round_voided",
        "wallet.adjusted",
        "player.status_changed",
    ] {
        let of_kind = |events: &[Value]| {
            let event = events.iter().find(|event| event["type"] == kind);
            event.unwrap_or_else(|| panic!("no {kind}")).clone()
        };
        let (told, shown) = (of_kind(feed), of_kind(&seen));
        assert_eq!(told["data"]["reason"], "a secret reason");
        assert!(told["data"]["by"].is_object(), "{told}");
        let mut expected = told.clone();
        let data = expected["data"].as_object_mut().unwrap();
        data.remove("reason");
        data.remove("by");
        assert_eq!(shown, expected);
    }
}

#[tokio::test]
async fn nobody_decides_what_he_asked_for_by_whatever_key() {
    let client = shared().await;
    let name = unique("Mary");
    let mary = client.of_another_person(&name).await;
    let player = Player::with(&client, "100.00").await;
    let id = ask(&mary, &adjustment(&player, "debit", "1.00")).await;
    let same = [
        mary.clone(),
        client.of_another_person(&name).await,
        client
            .of_another_person(&format!(" {} ", name.to_uppercase()))
            .await,
    ];
    for key in &same {
        approve(key, &id).await.refused(403, "same_person");
        reject(key, &id).await.refused(403, "same_person");
    }
    let rejected = reject(&client, &id).await.ok();
    assert_eq!(rejected.json["state"], "rejected");
    assert_eq!(rejected.json["reason"], "not so");
    approve(&client, &id).await.refused(409, "approval_decided");
    assert_eq!(player.cash(&client).await, "100.00");
    let path = format!(
        "/v1/approvals?player={}&state=rejected&kind=adjustment",
        player.id
    );
    let listed = client.get(&path).await.ok();
    assert_eq!(listed.json["data"], json!([rejected.json]));
    assert_eq!(
        client.get(&format!("/v1/approvals/{id}")).await.ok().json,
        rejected.json
    );
}

#[tokio::test]
async fn a_debit_beyond_the_balance_fails_for_ever_or_leaves_a_debt() {
    let client = shared().await;
    let other = client.of_another_person(&unique("Dora")).await;
    let player = Player::with(&client, "10.00").await;
    let body = adjustment(&player, "debit", "12.00");
    let id = ask(&client, &body).await;
    let failed = approve(&other, &id).await.ok();
    assert_eq!(failed.json["state"], "failed");
    assert_eq!(failed.json["failure"]["code"], "insufficient_funds");
    player.deposit(&client, "90.00").await;
    assert_eq!(approve(&other, &id).await.ok().json["state"], "failed");
    assert_eq!(player.cash(&client).await, "100.00");
    let mut owing = adjustment(&player, "debit", "112.00");
    owing["allow_debt"] = json!(true);
    let id = ask(&client, &owing).await;
    assert_eq!(approve(&other, &id).await.ok().json["state"], "approved");
    let wallets = client
        .get(&format!("/v1/players/{}/wallets", player.id))
        .await
        .ok();
    assert_eq!(wallets.json["data"][0]["owed"], "12.00");
    assert_eq!(wallets.json["data"][0]["cash"], "0.00");
    assert_eq!(
        newest(&client, &player, "wallet.negative_balance").await["owed"],
        "12.00"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_and_nothing_is_kept() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let with = |field: &str, value: Value| {
        let mut body = adjustment(&player, "debit", "1.00");
        body[field] = value;
        body
    };
    for (body, status, code) in [
        (with("amount", json!("0")), 422, "malformed"),
        (with("amount", json!("-1")), 422, "malformed"),
        (with("amount", json!("0.0000001")), 422, "malformed"),
        (with("reason", json!("")), 422, "malformed"),
        (with("category", json!("theft")), 422, "malformed"),
        (with("currency", json!("USD")), 422, "currency_mismatch"),
        (with("player", json!("nobody")), 404, "unknown_player"),
        (with("approved", json!(true)), 422, "unknown_field"),
    ] {
        client
            .post("/v1/adjustments", &body)
            .await
            .refused(status, code);
    }
    let mut owing = with("allow_debt", json!(true));
    owing["category"] = json!("goodwill");
    client
        .post("/v1/adjustments", &owing)
        .await
        .refused(422, "malformed");
    let void = |field: &str, value: Value| {
        let mut body = json!({
            "player": player.id, "provider": client.at.providers[0].id, "round": "none", "reason": "broken",
        });
        body[field] = value;
        body
    };
    for (body, status, code) in [
        (void("round", json!("none")), 404, "unknown_bet"),
        (void("provider", json!("nobody")), 404, "unknown_provider"),
        (void("player", json!("nobody")), 404, "unknown_player"),
        (void("reason", json!(" ")), 422, "malformed"),
    ] {
        client
            .post("/v1/rounds/void", &body)
            .await
            .refused(status, code);
    }
    let kept = client
        .get(&format!("/v1/approvals?player={}", player.id))
        .await
        .ok();
    assert_eq!(kept.json["data"], json!([]));
    client
        .get("/v1/approvals/apr_none")
        .await
        .refused(404, "not_found");
}

#[tokio::test]
async fn a_round_is_voided_when_another_person_approves_it() {
    let client = shared().await;
    let other = client.of_another_person(&unique("Dora")).await;
    let player = Player::with(&client, "10.00").await;
    client.callback("bet", &player.bet("b1", "4.00")).await.ok();
    let body = json!({
        "player": player.id, "provider": client.at.providers[0].id, "round": "r-b1", "reason": "a broken game",
    });
    let (one, two) = (ask(&client, &body).await, ask(&client, &body).await);
    let done = approve(&other, &one).await.ok();
    assert_eq!(done.json["state"], "approved");
    assert_eq!(player.cash(&client).await, "10.00");
    let told = newest(&client, &player, "game.round_voided").await;
    assert_eq!(told["reason"], "a broken game");
    assert_eq!(told["by"]["checker"], done.json["checker"]);
    // The other one is carried out too, and finds nothing left to give back.
    assert_eq!(approve(&other, &two).await.ok().json["state"], "approved");
    assert_eq!(player.cash(&client).await, "10.00");
    client
        .post("/v1/rounds/void", &body)
        .await
        .refused(409, "round_closed");
}

/// What an auditor asks years later.
#[tokio::test]
async fn a_void_is_told_with_its_reason_for_longer_than_its_event_is_kept() {
    let casino = Casino::start("void-reason", &["sandbox"]).await;
    let node = casino.serve("[outbox]\ntrim_every_ms = 100\n").await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "10.00").await;
    client.callback("bet", &player.bet("b1", "4.00")).await.ok();
    let body = json!({
        "player": player.id, "provider": client.at.providers[0].id, "round": "r-b1", "reason": "a broken game",
    });
    let id = ask(&client, &body).await;
    let done = approve(&client.second_person(), &id).await.ok();
    let rounds = format!("/v1/rounds?player={}", player.id);
    let rounds = client.get(&rounds).await.ok();
    let path = format!("/v1/rounds/{}", rounds.text_at("/data/0/id"));
    let told = client.get(&path).await.ok().json["voided"].clone();
    assert_eq!(told["reason"], "a broken game");
    assert_eq!(told["by"]["checker"], done.json["checker"]);
    // The log names who asked for it as the actor.
    let noted = eventually("it is noted", async || {
        let log = client.get("/v1/audit?action=round.voided").await.ok();
        log.json["data"].get(0).cloned()
    })
    .await;
    assert_eq!(noted["actor"]["person"], done.json["maker"]["person"]);
    assert_eq!(noted["actor"]["id"], done.json["maker"]["key"]);
    let ledger = casino.ledger("sandbox").await;
    let age = "SET session_replication_role = replica;
        UPDATE outbox SET created_at = created_at - interval '1000 hours'";
    ledger.0.batch_execute(age).await.unwrap();
    eventually("the events are gone", async || {
        let kept = "SELECT count(*) FROM outbox WHERE player_id = $1";
        (ledger.number(kept, &player.id).await == 0).then_some(())
    })
    .await;
    assert_eq!(client.get(&path).await.ok().json["voided"], told);
}

#[tokio::test]
async fn the_same_request_again_is_the_same_approval() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let (key, body) = (unique("key"), adjustment(&player, "credit", "1.00"));
    let first = client.post_once("/v1/adjustments", &key, &body).await;
    // As if the server had stopped before it kept its answer.
    let ledger = Ledger::open(&client.at.postgres).await;
    let forget = "DELETE FROM idempotency WHERE key = $1";
    assert_eq!(ledger.run(forget, &key).await, 1);
    let again = client.post_once("/v1/adjustments", &key, &body).await;
    assert_eq!(again.json, first.json);
    ledger.run(forget, &key).await;
    let other = adjustment(&player, "credit", "2.00");
    client
        .post_once("/v1/adjustments", &key, &other)
        .await
        .refused(422, "idempotency_mismatch");
}

/// Approvers and rejecters at once: one decision, and one movement if it was to approve.
#[tokio::test]
async fn whoever_races_there_is_one_decision_and_one_movement() {
    let client = shared().await;
    let (dora, eve) = (
        client.of_another_person(&unique("Dora")).await,
        client.of_another_person(&unique("Eve")).await,
    );
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let mut cash = 100_000_000;
    for _ in 0..12 {
        let id = ask(&client, &adjustment(&player, "credit", "1.00")).await;
        let approving = [&dora, &eve, &dora, &eve].map(|who| approve(who, &id));
        let (approved, rejected) = tokio::join!(join_all(approving), reject(&eve, &id));
        let state = client.get(&format!("/v1/approvals/{id}")).await.ok().json["state"].clone();
        let is_rejected = rejected.status == 200;
        assert_eq!(state, if is_rejected { "rejected" } else { "approved" });
        let done = approved
            .iter()
            .filter(|answer| answer.status == 200)
            .count();
        assert_eq!(done == 0, is_rejected, "{approved:?}");
        let moved = i64::from(!is_rejected);
        assert_eq!(ledger.movements(&player.id, &id).await, moved);
        cash += moved * 1_000_000;
    }
    assert_eq!(ledger.audited_cash(&player.id).await, cash);
}

/// INV-11: the server stops between the movement and the line about it, and between the decision and the movement.
#[tokio::test]
async fn an_approval_that_a_crash_cut_short_is_carried_out_once() {
    let casino = Casino::start("approvals", &["sandbox"]).await;
    let settings = "[approvals]\nsweep_ms = 100\nfinish_after_s = 3600\n";
    let mut node = casino.serve(settings).await;
    let client = casino.client(&node, "sandbox");
    let other = client.of_another_person("Dora").await;
    let ledger = casino.ledger("sandbox").await;
    let player = Player::with(&client, "100.00").await;
    let moved = ask(&client, &adjustment(&player, "credit", "1.00")).await;
    approve(&other, &moved).await.ok();
    let refused = ask(&client, &adjustment(&player, "debit", "500.00")).await;
    approve(&other, &refused).await.ok();
    let decided = ask(&client, &adjustment(&player, "credit", "2.00")).await;
    let swept = ask(&client, &adjustment(&player, "credit", "4.00")).await;
    node.program.kill().await;
    // What the tables would be like, had it stopped a moment before.
    let checker = "checker_key = gen_random_uuid(), checker = 'Dora', decided_at = now()";
    let cut_short = format!(
        "UPDATE approval SET state = 'executing', transaction_id = NULL, failure = NULL, finished_at = NULL, {checker}
         WHERE player_id = $1"
    );
    assert_eq!(ledger.run(&cut_short, &player.id).await, 4);
    casino.serve_again(&mut node).await;
    // By the next approve, of any other person.
    let eve = client.of_another_person("Eve").await;
    assert_eq!(approve(&eve, &moved).await.ok().json["state"], "approved");
    player.deposit(&client, "1000.00").await;
    let failed = approve(&eve, &refused).await.ok();
    assert_eq!(failed.json["failure"]["code"], "insufficient_funds");
    assert_eq!(approve(&eve, &decided).await.ok().json["state"], "approved");
    // And by the sweeper, once it has waited long enough.
    let old = "UPDATE approval SET decided_at = now() - interval '2 hours' WHERE player_id = $1 AND state = 'executing'";
    assert_eq!(ledger.run(old, &player.id).await, 1);
    eventually("the sweeper finishes it", async || {
        let found = client.get(&format!("/v1/approvals/{swept}")).await.ok();
        (found.json["state"] == "approved").then_some(())
    })
    .await;
    for id in [&moved, &decided, &swept] {
        assert_eq!(ledger.movements(&player.id, id).await, 1);
    }
    assert_eq!(ledger.movements(&player.id, &refused).await, 0);
    assert_eq!(ledger.audited_cash(&player.id).await, 1_107_000_000);
    // What nobody decides expires, and that is told in the audit log.
    let late = ask(&client, &adjustment(&player, "credit", "8.00")).await;
    let over = "UPDATE approval SET expires_at = now() - interval '1 second' WHERE player_id = $1 AND state = 'pending'";
    assert_eq!(ledger.run(over, &player.id).await, 1);
    eventually("it expires", async || {
        let found = client.get(&format!("/v1/approvals/{late}")).await.ok();
        (found.json["state"] == "expired").then_some(())
    })
    .await;
    approve(&other, &late)
        .await
        .refused(409, "approval_decided");
    let told = "SELECT count(*) FROM audit_entry WHERE action = 'approval.expired' AND subject = 'approval/' || $1";
    assert_eq!(ledger.number(told, &late).await, 1);
    let audit = casino.audit().await;
    assert!(audit.status.success(), "{}", stdout(&audit));
}

#[tokio::test]
async fn below_the_operators_threshold_one_person_is_enough() {
    let casino = Casino::start("threshold", &["sandbox"]).await;
    let node = casino
        .serve("[approvals]\nadjustments_below = { EUR = \"10.00\" }\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "100.00").await;
    let small = adjustment(&player, "credit", "9.99");
    let done = client.post("/v1/adjustments", &small).await;
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(done.json["state"], "approved");
    assert_eq!(done.json["checker"], Value::Null);
    ask(&client, &adjustment(&player, "credit", "10.00")).await;
    let mut owing = adjustment(&player, "debit", "1.00");
    owing["allow_debt"] = json!(true);
    ask(&client, &owing).await;
    assert_eq!(player.cash(&client).await, "109.99");
}
