//! Answers that take their time: whoever takes them gets them to the end, and nobody whose key has ended meanwhile.
//!
//! A report is made to wait in the database for as long as somebody likes; a byte of its head goes out every second.

use reqwest::{Method, Response};
use serde_json::json;

use crate::support::{
    PATIENCE, casino::Casino, client::Client, eventually, ledger::Ledger, player::Player,
};

/// Makes every report on what players have wait until the lock is given back.
const HOLD: &str = "SELECT pg_advisory_lock(7);
    CREATE OR REPLACE FUNCTION money_of(account text) RETURNS text LANGUAGE plpgsql AS $$
    BEGIN
        WHILE NOT pg_try_advisory_xact_lock_shared(7) LOOP
            PERFORM pg_sleep(0.05);
        END LOOP;
        RETURN 'cash';
    END $$";

/// A casino with a player, and whoever holds its reports up.
async fn held(casino: &Casino, client: &Client) -> Ledger {
    Player::with(client, "12.50").await;
    let ledger = casino.ledger("sandbox").await;
    ledger.0.batch_execute(HOLD).await.unwrap();
    ledger
}

/// Begins to read a report.
async fn report(client: &Client) -> Response {
    let request = client.http(Method::GET, "/v1/reports/liability?format=csv");
    let request = request.bearer_auth(&client.at.operator_key);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    answer
}

#[tokio::test]
async fn an_answer_that_makes_progress_goes_on_for_longer_than_a_connection_may_be_quiet() {
    let casino = Casino::start("slow-answer", &["sandbox"]).await;
    // Two seconds in all.
    let node = casino
        .serve("request_timeout_ms = 1000\nkeep_alive_s = 1\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let somebody = held(&casino, &client).await;
    let mut answer = report(&client).await;
    let mut taken = Vec::new();
    while taken.len() < 6 {
        let piece = answer.chunk().await.expect("it goes on");
        taken.extend(piece.expect("it is not over"));
    }
    let go_on = "SELECT pg_advisory_unlock(7)";
    somebody.0.batch_execute(go_on).await.unwrap();
    while let Some(piece) = answer.chunk().await.expect("it goes on") {
        taken.extend(piece);
    }
    let text = String::from_utf8(taken).unwrap();
    assert!(text.contains("12.50"), "{text}");
}

#[tokio::test]
async fn a_report_under_way_is_broken_off_when_its_key_may_not_have_it_any_more() {
    let casino = Casino::start("slow-key", &["sandbox"]).await;
    let node = casino.serve("[reports]\ntimeout_s = 300\n").await;
    let client = casino.client(&node, "sandbox");
    let _somebody = held(&casino, &client).await;
    for ends_by in ["revoke", "change"] {
        let key = json!({ "name": "reports", "person": "Robin", "scopes": ["reports:read"] });
        let made = client.post("/v1/keys", &key).await.ok();
        let path = format!("/v1/keys/{}", made.text_at("/id"));
        let mut answer = report(&client.with_key(&made.text_at("/secret"))).await;
        answer.chunk().await.unwrap().expect("it has begun");
        if ends_by == "revoke" {
            client.post(&format!("{path}/revoke"), &json!({})).await
        } else {
            client
                .patch(&path, &json!({ "scopes": ["players:read"] }))
                .await
        }
        .ok();
        let reading = async {
            while answer.chunk().await?.is_some() {}
            reqwest::Result::Ok(())
        };
        let ended = tokio::time::timeout(PATIENCE, reading).await;
        ended
            .expect(ends_by)
            .expect_err("half a report must not look like a whole one");
    }
    eventually("nobody makes them any more", async || {
        let metrics = client.admin("/metrics").await.text;
        let left = "pitboss_reports_total{outcome=\"abandoned\"} 2";
        (metrics.contains(left) && metrics.contains("pitboss_keys_answers_ended_total 2"))
            .then_some(())
    })
    .await;
}
