//! The logs: text for people, JSON for programs, and no secret in either.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    casino::{Casino, MASTER_KEY},
    client::{send, signature, unix_now},
    eventually,
    player::Player,
    stream::Stream,
};

#[tokio::test]
async fn the_most_talkative_log_is_json_line_by_line_and_shows_no_secret() {
    let mut casino = Casino::start("logs", &["sandbox"]).await;
    let log = "[log]\nformat = \"json\"\nlevel = \"debug\"\n";
    let mut node = casino.serve(log).await;
    let client = casino.client(&node, "sandbox");
    let mut player = Player::with(&client, "100.00").await;
    let launched = player.launched(&client).await;
    let launch = launched.text_at("/token");
    player.session = launched.text_at("/session");
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    stream.events(2).await;
    // What goes wrong is what is logged.
    let guess = client.at.operator_key.replace("sk_test_", "sk_test_x");
    let request = client.http(Method::GET, "/v1/games").bearer_auth(&guess);
    send(request).await.refused(401, "unauthorized");
    let body = json!({ "token": launch }).to_string();
    let path = client.callback_path("authenticate");
    let wrong = signature("cs_wrong_secret", unix_now(), &path, body.as_bytes());
    let request = client.http(Method::POST, &path).body(body);
    let answer = send(request.header("Pitboss-Signature", &wrong)).await;
    answer.refused(401, "bad_signature");
    client
        .callback("authenticate", &json!({ "token": launch, "x": 1 }))
        .await
        .ok();
    casino.nats.kill_immediate().await;
    casino.postgres.kill_immediate().await;
    client
        .callback("bet", &player.bet("b2", "1.00"))
        .await
        .refused(503, "retry");
    casino.postgres.restart().await.unwrap();
    casino.nats.restart().await.unwrap();
    casino.wait_until_ready(&mut node).await;
    eventually("the bet is accepted", async || {
        let answer = client.callback("bet", &player.bet("b2", "1.00")).await;
        (answer.status == 200).then_some(())
    })
    .await;
    node.program.terminate().await;

    let text = node.program.log();
    assert!(text.lines().count() > 5, "{text}");
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        assert!(
            line["level"].is_string() && line["timestamp"].is_string(),
            "{line}"
        );
    }
    let password = client.at.postgres.split([':', '@']).nth(2).unwrap();
    for secret in [
        &client.at.operator_key,
        &guess,
        &client.at.providers[0].secret,
        &player.token,
        &launch,
        MASTER_KEY,
        &client.at.nats.password,
        password,
        wrong.split_once("v1=").unwrap().1,
    ] {
        let shown = text.lines().find(|line| line.contains(secret));
        assert!(shown.is_none(), "the log shows a secret: {shown:?}");
    }
}
