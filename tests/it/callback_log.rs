//! The log of callbacks: what an integrator sees of his requests, and what nobody sees.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::{
    account::Account,
    casino::Casino,
    client::{Answer, Client, send, unix_now},
    eventually,
    player::with,
    sandbox::shared,
    unique,
};

/// The list, once it has so many entries.
async fn logged(client: &Client, account: &str, query: &str, count: usize) -> Vec<Value> {
    let path = format!("/v1/providers/{account}/callbacks?{query}");
    eventually(&format!("{count} entries at {path}"), async || {
        let page = client.get(&path).await.ok();
        let entries = page.json["data"].as_array().unwrap().clone();
        (entries.len() == count).then_some(entries)
    })
    .await
}

async fn whole(client: &Client, account: &str, entry: &Value) -> Answer {
    let path = format!("/v1/providers/{account}/callbacks/{}", entry["number"]);
    client.get(&path).await.ok()
}

/// A callback with a header of its own.
fn request(client: &Client, action: &str, body: &[u8]) -> RequestBuilder {
    let (path, signature) = client.signed(action, body);
    let request = client.http(Method::POST, &path).body(body.to_vec());
    request.header("Pitboss-Signature", signature)
}

#[tokio::test]
async fn an_integrator_sees_his_request_the_answer_and_what_was_understood() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (client, player) = account.seat(&client).await;
    let bet = player.bet("b-1", "1.00").to_string();
    let sent = request(&client, "bet", bet.as_bytes()).header("Request-Id", "req-7");
    let answer = send(sent.header("X-Own-Key", "hidden")).await.ok();

    let entries = logged(&client, &account.id, "action=bet", 1).await;
    let entry = &entries[0];
    for (field, value) in [
        ("outcome", json!("ok")),
        ("kind", json!("bet")),
        ("player", json!(player.id)),
        ("round", json!("r-b-1")),
        ("transactions", json!(["b-1"])),
        ("signature", json!("current")),
        ("status", json!(200)),
        ("address", json!("127.0.0.1")),
        ("request_id", json!("req-7")),
    ] {
        assert_eq!(entry[field], value, "{field}: {entry}");
    }
    assert!(entry["took_us"].as_i64().unwrap() > 0 && entry.get("request").is_none());
    let seen = whole(&client, &account.id, entry).await;
    let (asked, told) = (&seen.json["request"], &seen.json["answer"]);
    assert_eq!(
        (&asked["method"], &asked["path"]),
        (&json!("POST"), &json!(client.callback_path("bet")))
    );
    assert_eq!(
        asked["body"],
        json!({ "text": bet, "bytes": bet.len(), "truncated": false })
    );
    assert_eq!(
        (&told["body"]["text"], &told["status"]),
        (&json!(answer.text), &json!(200))
    );
    let header = |name: &str| {
        let headers = asked["headers"].as_array().unwrap();
        headers
            .iter()
            .find(|header| header["name"] == name)
            .unwrap()["value"]
            .clone()
    };
    assert_eq!(
        (header("request-id"), header("x-own-key")),
        (json!("req-7"), json!("***"))
    );
    let signature = header("pitboss-signature");
    let signature = signature.as_str().unwrap();
    assert!(
        signature.starts_with("t=") && signature.ends_with(",v1=***"),
        "{signature}"
    );
    // It has its own numbers and accounts: another's is not found.
    let other = format!("/v1/providers/demo/callbacks/{}", entry["number"]);
    client.get(&other).await.refused(404, "not_found");
    let path = format!("{}/callbacks/x", account.path());
    client.get(&path).await.refused(404, "not_found");
    client
        .get("/v1/providers/nobody/callbacks")
        .await
        .refused(404, "unknown_provider");
}

#[tokio::test]
async fn what_was_not_accepted_is_there_too_and_says_why() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let provider = account.client(&client, &account.secret);
    let path = provider.callback_path("bet");
    let unsigned = |body: &[u8]| client.http(Method::POST, &path).body(body.to_vec());
    send(unsigned(b"{}")).await.refused(401, "bad_signature");
    send(unsigned(b"{}").header("Pitboss-Signature", "nonsense"))
        .await
        .refused(401, "bad_signature");
    let late = crate::support::client::signature(&account.secret, unix_now() - 1000, &path, b"{}");
    send(unsigned(b"{}").header("Pitboss-Signature", late))
        .await
        .refused(401, "bad_signature");
    let stranger = account.client(&client, "cs_wrong");
    stranger
        .callback_bytes("bet", b"{}".to_vec())
        .await
        .refused(401, "bad_signature");
    provider
        .callback_bytes("bet", b"\xff\xfe{".to_vec())
        .await
        .refused(422, "malformed");
    provider
        .callback_bytes("steal%00", b"{}".to_vec())
        .await
        .refused(404, "unknown_action");
    let nobody = json!({ "player": unique("nobody"), "currency": "EUR" });
    provider
        .callback("balance", &nobody)
        .await
        .refused(404, "unknown_player");

    let entries = logged(&client, &account.id, "failures=true", 7).await;
    let of = |name: &str| {
        entries
            .iter()
            .rev()
            .map(|entry| entry[name].clone())
            .collect::<Vec<_>>()
    };
    let signatures = [
        "missing", "form", "stale", "mismatch", "current", "current", "current",
    ];
    assert_eq!(of("signature"), signatures);
    let codes = [
        "bad_signature",
        "bad_signature",
        "bad_signature",
        "bad_signature",
        "malformed",
        "unknown_action",
        "unknown_player",
    ];
    assert_eq!(of("outcome"), codes);
    let kinds = of("kind");
    assert_eq!((&kinds[4], &kinds[6]), (&Value::Null, &json!("balance")));
    let binary = whole(&client, &account.id, &entries[2]).await;
    let body = &binary.json["request"]["body"];
    assert_eq!(
        body,
        &json!({ "base64": "//57", "bytes": 3, "truncated": false })
    );
    assert!(
        binary.json["answer"]["body"]["text"]
            .as_str()
            .unwrap()
            .contains("malformed")
    );
    // Refused before anything was looked at.
    let allow = json!({ "allowed_addresses": ["192.0.2.1"] });
    account.change(&client, &allow).await.ok();
    provider
        .callback("balance", &nobody)
        .await
        .refused(403, "address_refused");
    let refused = logged(&client, &account.id, "outcome=address_refused", 1).await;
    assert_eq!(refused[0]["signature"], "not_checked");
    // Of the secret that it was signed with, the log tells which.
    account
        .change(&client, &json!({ "allowed_addresses": [] }))
        .await
        .ok();
    let rotate = format!("{}/rotate", account.path());
    client.post(&rotate, &json!({})).await.ok();
    provider
        .callback("balance", &nobody)
        .await
        .refused(404, "unknown_player");
    let of_all = logged(&client, &account.id, "outcome=unknown_player", 2).await;
    assert_eq!(of_all[0]["signature"], "old");
}

#[tokio::test]
async fn no_secret_and_no_token_is_kept_anywhere() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (client, mut player) = account.seat(&client).await;
    let secrets = [
        player.log_in(&client).await,
        client.at.operator_key.clone(),
        account.secret.clone(),
        player.launch_token(&client).await,
    ];
    let token = json!({ "token": secrets[3] });
    let taken_over = client.callback("authenticate", &token).await.ok();
    player.session = taken_over.text_at("/session");
    let mut count = 2;
    for secret in &secrets {
        let odd = with(&player.bet(secret, "1.00"), "round", secret.as_str());
        client.callback("bet", &odd).await.ok();
        let broken = format!("{{\"note\":\"{secret}");
        client
            .callback_bytes("bet", broken.into_bytes())
            .await
            .refused(422, "malformed");
        let path = format!("{secret}?a={secret}");
        let (signed, signature) = client.signed(secret, b"{}");
        let path = signed.replace(secret, &path);
        let request = client
            .http(Method::POST, &path)
            .body("{}")
            .header("Pitboss-Signature", signature);
        let request = request
            .bearer_auth(secret)
            .header("Request-Id", secret)
            .header("Via", secret);
        send(request).await.refused(404, "unknown_action");
        count += 3;
    }
    let entries = logged(&client, &account.id, "limit=100", count).await;
    let mut all = format!("{entries:?}");
    for entry in &entries {
        all += &whole(&client, &account.id, entry).await.text;
    }
    let ledger = crate::support::ledger::Ledger::open(&client.at.postgres).await;
    let rows = "SELECT string_agg(l::text, '') FROM callback_log l WHERE provider_id = $1";
    let row = ledger.0.query_one(rows, &[&account.id]).await.unwrap();
    all += row.get(0);
    for secret in &secrets {
        assert!(!all.contains(&secret[8..]), "{secret} in {all}");
    }
    assert!(all.contains("***"));
}

#[tokio::test]
async fn the_log_is_searched_by_what_an_integrator_knows() {
    let client = shared().await;
    let account = Account::make(&client, json!({})).await;
    let (client, player) = account.seat(&client).await;
    for id in ["b-1", "b-2", "b-3"] {
        client.callback("bet", &player.bet(id, "1.00")).await.ok();
    }
    client
        .callback("bet", &player.bet("b-4", "900.00"))
        .await
        .refused(402, "insufficient_funds");
    client
        .callback("rollback", &player.rollback("rb", "b-2"))
        .await
        .ok();
    let all = logged(&client, &account.id, "", 6).await;
    let numbers: Vec<i64> = all
        .iter()
        .map(|entry| entry["number"].as_i64().unwrap())
        .collect();
    let times: Vec<&str> = all
        .iter()
        .map(|entry| entry["received_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b), "{times:?}");
    for (query, count) in [
        (format!("player={}", player.id), 6),
        ("player=nobody".to_owned(), 0),
        ("transaction=b-2".to_owned(), 2),
        ("transaction=b-2&action=bet".to_owned(), 1),
        ("outcome=insufficient_funds".to_owned(), 1),
        ("outcome=ok".to_owned(), 5),
        ("failures=true".to_owned(), 1),
        ("action=rollback".to_owned(), 1),
        (format!("from={}", times[1]), 2),
        (format!("to={}", times[1]), 4),
        (format!("from={}&to={}", times[3], times[1]), 2),
    ] {
        let found = logged(&client, &account.id, &query, count).await;
        assert_eq!(found.len(), count, "{query}");
    }
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("{}/callbacks?limit=2{after}", account.path());
        let page = client.get(&path).await.ok();
        let entries = page.json["data"].as_array().unwrap();
        found.extend(
            entries
                .iter()
                .map(|entry| entry["number"].as_i64().unwrap()),
        );
        match page.json["next"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    assert_eq!(found, numbers);
}

#[tokio::test]
async fn an_account_chooses_what_is_logged_and_an_environment_what_is_when_it_does_not() {
    let casino = Casino::start("log-modes", &["live"]).await;
    let node = casino.serve("").await;
    let client = casino.client(&node, "live");
    let balance = json!({ "player": unique("nobody"), "currency": "EUR" });
    let player = crate::support::player::Player::with(&client, "100.00").await;
    let good = json!({ "player": player.id, "currency": "EUR" });
    // Live: failures. A good callback before a bad one would be there with it.
    client.callback("balance", &good).await.ok();
    client
        .callback("balance", &balance)
        .await
        .refused(404, "unknown_player");
    logged(&client, "acme", "", 1).await;
    for (mode, more) in [(json!("all"), 2), (json!("off"), 0), (Value::Null, 1)] {
        let before = client.get("/v1/providers/acme/callbacks").await.ok();
        let before = before.json["data"].as_array().unwrap().len();
        let change = json!({ "callback_log": mode });
        crate::support::account::patch(&client, "/v1/providers/acme", &change)
            .await
            .ok();
        client.callback("balance", &good).await.ok();
        client
            .callback("balance", &balance)
            .await
            .refused(404, "unknown_player");
        logged(&client, "acme", "", before + more).await;
    }
    // What was let out is not on its way either: a stop writes what waits.
    let mut node = node;
    assert_eq!(
        node.program.terminate().await.code(),
        Some(0),
        "{}",
        node.program.log()
    );
    let ledger = casino.ledger("live").await;
    let count = "SELECT count(*) FROM callback_log WHERE provider_id = $1";
    assert_eq!(ledger.number(count, "acme").await, 4);
}

/// A counter of the admin listener, summed over its labels that have this text.
async fn counted(client: &Client, name: &str, label: &str) -> f64 {
    let text = client.admin("/metrics").await.text;
    let lines = text
        .lines()
        .filter(|line| line.starts_with(name) && line.contains(label));
    lines
        .map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap())
        .sum()
}

#[tokio::test]
async fn a_database_that_does_not_take_the_log_drops_it_and_keeps_no_callback_waiting() {
    let casino = Casino::start("log-behind", &["sandbox"]).await;
    let node = casino
        .serve("[callback_log]\nqueue_max = 3\nbatch_max = 2\nlinger_ms = 0\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let player = crate::support::player::Player::with(&client, "100.00").await;
    logged(&client, "acme", "", 1).await;
    let ledger = casino.ledger("sandbox").await;
    ledger
        .0
        .batch_execute("BEGIN; LOCK TABLE callback_log IN ACCESS EXCLUSIVE MODE")
        .await
        .unwrap();
    for index in 0..40 {
        let bet = player.bet(&format!("b{index}"), "1.00");
        client.callback("bet", &bet).await.ok();
    }
    // Two in the writer's hand and three that wait, at most, are not dropped by now; what the writer could not keep
    // in time is dropped as well.
    assert!(counted(&client, "pitboss_callback_log_dropped_total", "queue").await >= 1.0);
    assert_eq!(player.cash(&client).await, "60.00");
    ledger.0.batch_execute("ROLLBACK").await.unwrap();
    eventually("callbacks are logged again", async || {
        client
            .callback("bet", &player.bet("after", "1.00"))
            .await
            .ok();
        let found = client
            .get("/v1/providers/acme/callbacks?transaction=after")
            .await
            .ok();
        found.json["data"].get(0).map(|_| ())
    })
    .await;
    assert_eq!(ledger.audited_cash(&player.id).await, 59_000_000);
    assert!(counted(&client, "pitboss_callback_log_written_total", "sandbox").await >= 2.0);
    // Of nobody there is a count, and no log.
    let path = "/callbacks/sandbox/nobody/bet";
    send(client.http(Method::POST, path).body("{}"))
        .await
        .refused(404, "unknown_provider");
    assert_eq!(
        counted(&client, "pitboss_callbacks_total", "unknown_provider").await,
        1.0
    );
}

#[tokio::test]
async fn a_log_keeps_so_many_entries_and_only_for_so_long() {
    let casino = Casino::start("log-trim", &["sandbox"]).await;
    let node = casino
        .serve("[callback_log]\nrows_max = 5\nkeep_h = 1\ntrim_every_ms = 100\ntrim_batch_max = 2\nlinger_ms = 0\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let player = crate::support::player::Player::with(&client, "100.00").await;
    for index in 0..12 {
        client
            .callback("bet", &player.bet(&format!("b{index}"), "1.00"))
            .await
            .ok();
    }
    let newest = logged(&client, "acme", "transaction=b11", 1).await;
    let kept = logged(&client, "acme", "", 5).await;
    assert_eq!(kept[0]["number"], newest[0]["number"]);
    let ledger = casino.ledger("sandbox").await;
    let age = "UPDATE callback_log SET received_at = received_at - interval '2 h' WHERE $1 = ANY (transactions)";
    assert_eq!(ledger.run(age, "b9").await, 1);
    logged(&client, "acme", "", 4).await;
    let gone = logged(&client, "acme", "transaction=b9", 0).await;
    assert!(gone.is_empty());
}
