//! Deposits and withdrawals through the REST API: the good way, the wrong ones, and what the ledger has of it.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client},
    eventually,
    ledger::Ledger,
    player::Player,
    sandbox::shared,
    unique,
};

fn asked(player: &Player, amount: &str) -> Value {
    json!({ "player": player.id, "amount": amount, "currency": "EUR", "reference": unique("payment") })
}

/// A withdrawal that this client asks for.
async fn ask(client: &Client, player: &Player, amount: &str) -> String {
    let answer = client.post("/v1/withdrawals", &asked(player, amount)).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(answer.json["state"], "requested");
    answer.text_at("/id")
}

async fn step(client: &Client, id: &str, step: &str, body: Value) -> Answer {
    let path = format!("/v1/withdrawals/{id}/{step}");
    client.post(&path, &body).await
}

async fn steps(client: &Client, id: &str, names: &[&str]) {
    for name in names {
        step(client, id, name, json!({})).await.ok();
    }
}

async fn notice(client: &Client, id: &str, body: Value) -> Answer {
    client
        .post(&format!("/v1/deposits/{id}/notices"), &body)
        .await
}

async fn held(client: &Client, player: &Player) -> String {
    let path = format!("/v1/players/{}/wallets", player.id);
    client
        .get(&path)
        .await
        .ok()
        .text_at("/data/0/withdrawal_hold")
}

#[tokio::test]
async fn a_withdrawal_is_held_approved_by_another_sent_and_paid() {
    let client = shared().await;
    let kate = client.of_another_person(&unique("Kate")).await;
    let player = Player::with(&client, "100.00").await;
    let body = asked(&player, "40.00");
    let first = kate.post("/v1/withdrawals", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let id = first.text_at("/id");
    let again = kate.post("/v1/withdrawals", &body).await;
    assert_eq!((again.status, &again.json), (200, &first.json));
    assert_eq!(player.cash(&client).await, "60.00");
    assert_eq!(held(&client, &player).await, "40.00");
    step(&client, &id, "approve", json!({}))
        .await
        .refused(409, "payment_state");
    steps(&client, &id, &["review"]).await;
    step(&kate, &id, "approve", json!({}))
        .await
        .refused(403, "same_person");
    let approved = step(&client, &id, "approve", json!({})).await.ok();
    assert_eq!(approved.json["state"], "approved");
    steps(&client, &id, &["send"]).await;
    for late in ["cancel", "review"] {
        step(&client, &id, late, json!({}))
            .await
            .refused(409, "payment_state");
    }
    let paid = json!({ "outcome": "paid", "provider_reference": unique("psp") });
    let done = step(&client, &id, "result", paid.clone()).await.ok();
    assert_eq!(done.json["state"], "paid");
    assert_eq!(
        step(&client, &id, "result", paid).await.ok().json,
        done.json
    );
    let other = json!({ "outcome": "paid", "provider_reference": unique("psp") });
    step(&client, &id, "result", other)
        .await
        .refused(409, "transaction_mismatch");
    assert_eq!(held(&client, &player).await, "0.00");
    assert_eq!(player.cash(&client).await, "60.00");
    let read = client.get(&format!("/v1/withdrawals/{id}")).await.ok();
    assert_eq!(read.json, done.json);
    let listed = client
        .get(&format!("/v1/withdrawals?player={}&state=paid", player.id))
        .await
        .ok();
    assert_eq!(listed.json["data"], json!([done.json]));
    let ledger = Ledger::open(&client.at.postgres).await;
    assert_eq!(ledger.audited_cash(&player.id).await, 60_000_000);
    // Its approval is in the audit log, under the event's own id.
    eventually("the approval is noted", async || {
        let path = format!(
            "/v1/audit?subject=player/{}&action=payment.withdrawal_approved",
            player.id
        );
        let log = client.get(&path).await.ok();
        (!log.json["data"].as_array()?.is_empty()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_given_back_is_given_back_once_whoever_races() {
    let client = shared().await;
    let kate = client.of_another_person(&unique("Kate")).await;
    let player = Player::with(&client, "100.00").await;
    for _ in 0..5 {
        let id = ask(&kate, &player, "30.00").await;
        steps(&client, &id, &["review"]).await;
        let reject = step(
            &client,
            &id,
            "reject",
            json!({ "reason": "a wrong account" }),
        );
        let (cancel, approve) = (
            step(&kate, &id, "cancel", json!({})),
            step(&client, &id, "approve", json!({})),
        );
        let answers = join_all([
            Box::pin(reject) as std::pin::Pin<Box<dyn Future<Output = Answer>>>,
            Box::pin(cancel),
            Box::pin(approve),
        ])
        .await;
        assert!(
            answers
                .iter()
                .all(|answer| [200, 409].contains(&answer.status))
        );
        let now = client.get(&format!("/v1/withdrawals/{id}")).await.ok();
        // An approval may be followed by a rejection.
        if now.json["state"] == "approved" {
            step(&client, &id, "reject", json!({ "reason": "after all" }))
                .await
                .ok();
        }
        assert_eq!(player.cash(&client).await, "100.00");
        assert_eq!(held(&client, &player).await, "0.00");
    }
    let ledger = Ledger::open(&client.at.postgres).await;
    assert_eq!(ledger.audited_cash(&player.id).await, 100_000_000);
}

#[tokio::test]
async fn an_unknown_outcome_gives_nothing_back_and_a_failure_does() {
    let client = shared().await;
    let kate = client.of_another_person(&unique("Kate")).await;
    let player = Player::with(&client, "100.00").await;
    let id = ask(&kate, &player, "30.00").await;
    steps(&client, &id, &["review", "approve", "send"]).await;
    let unknown = step(&client, &id, "result", json!({ "outcome": "unknown" }))
        .await
        .ok();
    assert_eq!(unknown.json["state"], "unknown");
    step(&client, &id, "reject", json!({ "reason": "enough" }))
        .await
        .refused(409, "payment_state");
    assert_eq!(held(&client, &player).await, "30.00");
    let failed = json!({ "outcome": "failed", "reason": "the bank refused it" });
    let failed = step(&client, &id, "result", failed).await.ok();
    assert_eq!(failed.json["reason"], "the bank refused it");
    assert_eq!(player.cash(&client).await, "100.00");
}

#[tokio::test]
async fn whoever_adjusted_the_players_money_does_not_let_it_leave() {
    let client = shared().await;
    let mary = client.of_another_person(&unique("Mary")).await;
    let player = Player::with(&client, "100.00").await;
    let before = ask(&mary, &player, "10.00").await;
    steps(&client, &before, &["review", "approve"]).await;
    let id = ask(&mary, &player, "10.00").await;
    steps(&client, &id, &["review"]).await;
    let adjust = json!({
        "player": player.id, "currency": "EUR", "amount": "50.00", "direction": "credit", "reason": "a gift",
        "category": "goodwill",
    });
    let approval = mary.post("/v1/adjustments", &adjust).await.text_at("/id");
    let path = format!("/v1/approvals/{approval}/approve");
    client.post(&path, &json!({})).await.ok();
    let refused = step(&client, &id, "approve", json!({})).await;
    assert!(refused.text.contains("adjusted"), "{}", refused.text);
    refused.refused(403, "same_person");
    let now = client.get(&format!("/v1/withdrawals/{id}")).await.ok();
    assert_eq!(now.json["state"], "in_review");
}

#[tokio::test]
async fn what_is_not_there_is_not_withdrawn_and_nothing_is_written() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let ask = async |body: Value| client.post("/v1/withdrawals", &body).await;
    ask(asked(&player, "10.01"))
        .await
        .refused(402, "insufficient_funds");
    for amount in ["0", "-1", "1e1", "x"] {
        ask(asked(&player, amount)).await.refused(422, "malformed");
    }
    let mut nobody = asked(&player, "1.00");
    nobody["player"] = unique("nobody").into();
    ask(nobody).await.refused(404, "unknown_player");
    let mut dollars = asked(&player, "1.00");
    dollars["currency"] = "USD".into();
    ask(dollars).await.refused(422, "currency_mismatch");
    let gone = format!("pay_{}", "0".repeat(32));
    step(&client, &gone, "review", json!({}))
        .await
        .refused(404, "unknown_payment");
    step(&client, "pay_1", "review", json!({}))
        .await
        .refused(404, "unknown_payment");
    for wrong in [
        json!({ "outcome": "paid" }),
        json!({ "outcome": "paid", "provider_reference": "p", "reason": "r" }),
        json!({ "outcome": "failed" }),
        json!({ "outcome": "unknown", "reason": "r" }),
        json!({ "outcome": "returned", "provider_reference": "p" }),
    ] {
        let id = client
            .post("/v1/withdrawals", &asked(&player, "0.01"))
            .await
            .text_at("/id");
        step(&client, &id, "result", wrong)
            .await
            .refused(422, "malformed");
        steps(&client, &id, &["cancel"]).await;
    }
    assert_eq!(player.cash(&client).await, "10.00");
}

#[tokio::test]
async fn a_deposit_that_is_announced_comes_once_whatever_notices_come() {
    let client = shared().await;
    let player = Player::with(&client, "10.00").await;
    let body = asked(&player, "20.00");
    let first = client.post("/v1/deposits", &body).await;
    assert_eq!(first.status, 201, "{}", first.text);
    let id = first.text_at("/id");
    assert_eq!(
        client.post("/v1/deposits", &body).await.ok().json,
        first.json
    );
    // The same reference is no deposit of the other kind.
    let at_once = json!({ "amount": "20.00", "currency": "EUR", "reference": body["reference"] });
    let path = format!("/v1/players/{}/deposits", player.id);
    client
        .post(&path, &at_once)
        .await
        .refused(409, "transaction_mismatch");
    let psp = unique("psp");
    let complete = json!({ "status": "completed", "provider_reference": psp, "amount": "20.00" });
    let mut less = complete.clone();
    less["amount"] = "19.99".into();
    notice(&client, &id, less)
        .await
        .refused(409, "transaction_mismatch");
    let answers = join_all((0..6).map(|_| notice(&client, &id, complete.clone()))).await;
    let done = answers[0].json.clone();
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == 200 && answer.json == done)
    );
    notice(
        &client,
        &id,
        json!({ "status": "pending", "provider_reference": psp }),
    )
    .await
    .ok();
    assert_eq!(player.cash(&client).await, "30.00");
    // One payment of the payment provider is no other deposit.
    let other = client
        .post("/v1/deposits", &asked(&player, "20.00"))
        .await
        .text_at("/id");
    notice(&client, &other, complete)
        .await
        .refused(409, "transaction_mismatch");
    for wrong in [
        json!({ "status": "completed", "provider_reference": "p" }),
        json!({ "status": "pending" }),
        json!({ "status": "failed" }),
        json!({ "status": "charged_back", "reason": "r", "amount": "1.00" }),
    ] {
        notice(&client, &other, wrong)
            .await
            .refused(422, "malformed");
    }
    // More than is left: the rest is owed.
    client.callback("bet", &player.bet("b", "25.00")).await.ok();
    let back = json!({ "status": "charged_back", "reason": "not my purchase" });
    let back = notice(&client, &id, back).await.ok();
    assert_eq!(back.json["state"], "charged_back");
    let wallet = client
        .get(&format!("/v1/players/{}/wallets", player.id))
        .await
        .ok();
    assert_eq!(
        (
            wallet.text_at("/data/0/cash"),
            wallet.text_at("/data/0/owed")
        ),
        ("0.00".into(), "15.00".into())
    );
    let ask = client
        .post("/v1/withdrawals", &asked(&player, "0.01"))
        .await;
    ask.refused(402, "insufficient_funds");
    let ledger = Ledger::open(&client.at.postgres).await;
    assert_eq!(ledger.audited_cash(&player.id).await, 0);
}

#[tokio::test]
async fn lists_have_each_payment_once_page_by_page() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(ask(&client, &player, "1.00").await);
    }
    made.reverse();
    let mut found = Vec::new();
    let mut path = format!("/v1/withdrawals?player={}&limit=2", player.id);
    loop {
        let page = client.get(&path).await.ok().json;
        found.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        path = format!("/v1/withdrawals?player={}&limit=2&after={next}", player.id);
    }
    assert_eq!(found, made);
    // A deposit that was complete at once is one of them.
    let deposits = client
        .get(&format!("/v1/deposits?player={}", player.id))
        .await
        .ok();
    assert_eq!(deposits.json["data"].as_array().unwrap().len(), 1);
    let reference = deposits.text_at("/data/0/reference").replace(' ', "%20");
    let by_reference = client
        .get(&format!("/v1/deposits?reference={reference}"))
        .await
        .ok();
    assert_eq!(by_reference.json["data"], deposits.json["data"]);
}
