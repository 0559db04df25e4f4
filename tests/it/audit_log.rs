//! The audit log: readable, whole, and with what the server itself finds significant.

use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    client::{Client, send, signature, unix_now},
    eventually,
    player::Player,
    program::stdout,
};

async fn entries(client: &Client, query: &str) -> Vec<Value> {
    let page = client
        .get(&format!("/v1/audit?limit=200{query}"))
        .await
        .ok();
    page.json["data"].as_array().unwrap().clone()
}

async fn until_noted(client: &Client, action: &str, count: usize) -> Vec<Value> {
    eventually(&format!("{action} is noted"), async || {
        let found = entries(client, &format!("&action={action}")).await;
        (found.len() >= count).then_some(found)
    })
    .await
}

const LARGE: &str = "[audit]\nread_every_ms = 100\n[audit.large_bet]\nEUR = \"50.00\"\n[audit.large_win]\nEUR = \"500.00\"\n";

#[tokio::test]
async fn what_is_significant_is_noted_once_and_the_log_is_whole() {
    let casino = Casino::start("audit-log", &["sandbox"]).await;
    let (node, twin) = tokio::join!(casino.serve(LARGE), casino.serve(LARGE));
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "100.00").await;
    let call = async |action: &str, body: Value| drop(client.callback(action, &body).await.ok());
    call("bet", player.bet("small", "49.99")).await;
    call("bet", player.bet("large", "50.00")).await;
    call("win", player.win("w", "large", "500.00")).await;
    // More than is left: a debt.
    call("bet", player.bet("b", "480.00")).await;
    call("rollback", player.rollback("rb", "w")).await;
    let subject = format!("player/{}", player.id);
    let negative = until_noted(&client, "wallet.negative_balance", 1).await;
    assert_eq!(negative[0]["subject"], subject);
    for (action, id) in [
        ("wallet.large_bet", "large"),
        ("wallet.large_win", "w"),
        ("wallet.win_rolled_back", "rb"),
    ] {
        let found = until_noted(&client, action, 1).await;
        let wanted = |entry: &&Value| entry["detail"]["data"]["provider_transaction_id"] == id;
        let found = found.iter().find(wanted).unwrap();
        assert_eq!(found["actor"]["kind"], "provider");
        assert_eq!(found["actor"]["id"], client.at.providers[0].id);
        assert!(
            found["detail"]["transaction"]
                .as_str()
                .unwrap()
                .starts_with("tx_")
        );
    }
    let of_player = entries(&client, &format!("&subject={subject}")).await;
    // Two large bets (50 and 480), once each, on two nodes.
    assert_eq!(of_player.len(), 5, "{of_player:#?}");

    // A bad signature, by provider.
    let (path, _) = client.signed("bet", b"{}");
    let wrong = signature("cs_wrong", unix_now(), &path, b"{}");
    for _ in 0..3 {
        let request = client.http(reqwest::Method::POST, &path);
        send(request.header("Pitboss-Signature", &wrong).body("{}")).await;
    }
    let failed = until_noted(&client, "access.failed", 1).await;
    let failed = failed
        .iter()
        .find(|entry| entry["detail"]["reason"] == "bad_signature")
        .unwrap();
    assert_eq!(
        failed["subject"],
        format!("provider/{}", client.at.providers[0].id)
    );
    assert_eq!(failed["actor"]["address"], "127.0.0.1");

    let started = entries(&client, "&action=server.started").await;
    assert_eq!(started.len(), 2);
    let actor = started[0]["actor"]["id"].as_str().unwrap();
    assert!(
        !entries(&client, &format!("&actor={actor}"))
            .await
            .is_empty()
    );
    // By number, by page, and from the end.
    let all = entries(&client, "").await;
    let first = client.get("/v1/audit?limit=2").await.ok();
    let next = client
        .get(&format!(
            "/v1/audit?limit=200&after={}",
            first.text_at("/next")
        ))
        .await
        .ok();
    assert_eq!(next.json["data"].as_array().unwrap()[..], all[2..]);
    let number = all[0]["number"].as_i64().unwrap();
    let one = client.get(&format!("/v1/audit/{number}")).await.ok();
    assert_eq!(one.json, all[0]);
    client.get("/v1/audit/0").await.refused(404, "not_found");
    client.get("/v1/audit/x").await.refused(404, "not_found");
    client
        .get("/v1/audit?action=no.such")
        .await
        .refused(422, "malformed");
    let none = entries(&client, "&to=2020-01-01T00:00:00Z").await;
    assert_eq!(none, Vec::<Value>::new());
    drop(twin);
    drop(node);

    let audit = stdout(&casino.audit().await);
    assert!(audit.contains("All invariants hold."), "{audit}");
    assert!(audit.contains("The audit log ends with entry"), "{audit}");
}

#[tokio::test]
async fn a_start_with_another_configuration_tells_what_changed_and_no_secret() {
    let casino = Casino::start("audit-config", &["sandbox"]).await;
    let mut node = casino.serve("[audit]\nread_every_ms = 100\n").await;
    let client = casino.client(&node, "sandbox");
    let first = until_noted(&client, "config.changed", 1).await;
    assert_eq!(first.len(), 1);
    assert_eq!(first[0]["detail"]["after"]["audit.read_every_ms"], 100);
    node.program.terminate().await;
    casino.serve_again(&mut node).await;
    let started = until_noted(&client, "server.started", 2).await;
    assert_eq!(entries(&client, "&action=config.changed").await.len(), 1);
    let stopped = entries(&client, "&action=server.stopped").await;
    assert_eq!(stopped[0]["detail"]["gracefully"], true);
    assert_eq!(stopped[0]["subject"], started[1]["subject"]);
    node.program.terminate().await;
    let text = std::fs::read_to_string(&node.config).unwrap();
    std::fs::write(
        &node.config,
        text.replace("read_every_ms = 100", "read_every_ms = 200"),
    )
    .unwrap();
    casino.serve_again(&mut node).await;
    let changed = until_noted(&client, "config.changed", 2).await;
    let expected = json!({ "before": { "audit.read_every_ms": 100 }, "after": { "audit.read_every_ms": 200 } });
    assert_eq!(changed[0]["detail"], expected);
    let text = client.get("/v1/audit?limit=200").await.ok().text;
    assert!(!text.contains("pass-sandbox") && !text.contains(crate::support::casino::MASTER_KEY));
    let events = client.get("/v1/events?type=config.*").await.ok();
    assert_eq!(events.json["data"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn the_head_can_be_kept_elsewhere_and_proves_what_was_rewritten() {
    let casino = Casino::start("audit-head", &["sandbox"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "sandbox");
    until_noted(&client, "server.started", 1).await;
    let head = client.get("/v1/audit/head").await.ok();
    let number = head.json["number"].as_i64().unwrap();
    let newest = client.get(&format!("/v1/audit/{number}")).await.ok();
    assert_eq!(newest.text_at("/hash"), head.text_at("/hash"));
    // By another hand, from what docs/audit.md says.
    let entry = &newest.json;
    let before = client.get(&format!("/v1/audit/{}", number - 1)).await.ok();
    let at = entry["at"].as_str().unwrap();
    let fields = [
        Some(entry["number"].to_string()),
        entry["id"].as_str().map(str::to_owned),
        Some(micros(at).to_string()),
        entry["action"].as_str().map(str::to_owned),
        entry["actor"]["kind"].as_str().map(str::to_owned),
        entry["actor"]["id"].as_str().map(str::to_owned),
        entry["actor"]["person"].as_str().map(str::to_owned),
        entry["actor"]["address"].as_str().map(str::to_owned),
        entry["subject"].as_str().map(str::to_owned),
        entry["detail_text"].as_str().map(str::to_owned),
    ];
    let netstrings = fields.iter().map(|field| match field {
        Some(text) => format!("{}:{text},", text.len()),
        None => "-,".to_owned(),
    });
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    hash.update(hex::decode(before.text_at("/hash")).unwrap());
    hash.update(netstrings.collect::<String>());
    assert_eq!(hex::encode(hash.finalize()), head.text_at("/hash"));

    let ledger = casino.ledger("sandbox").await;
    let tamper = "ALTER TABLE audit_entry DISABLE TRIGGER append_only;
        UPDATE audit_entry SET detail = '{}' WHERE number = 2";
    ledger.0.batch_execute(tamper).await.unwrap();
    let audit = casino.audit().await;
    assert_eq!(audit.status.code(), Some(1));
    assert!(
        stdout(&audit).contains("audit entry 2 ("),
        "{}",
        stdout(&audit)
    );
}

fn micros(text: &str) -> i128 {
    use time::{OffsetDateTime, format_description::well_known::Rfc3339};
    OffsetDateTime::parse(text, &Rfc3339)
        .unwrap()
        .unix_timestamp_nanos()
        / 1000
}
