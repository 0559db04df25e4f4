//! Random bytes and random JSON at every door: never a 500, always a document, and the books still balance.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    client::{Answer, Client, send, try_send},
    ledger::Ledger,
    player::Player,
    random::Random,
    sandbox::shared,
};

const ACTIONS: [&str; 8] = [
    "authenticate",
    "balance",
    "bet",
    "win",
    "bet_win",
    "rollback",
    "close_round",
    "no_such_action",
];
const TEXTS: [&str; 18] = [
    "",
    "0",
    "1.00",
    "-1",
    "EUR",
    "BTC",
    "dice",
    "bet",
    "win",
    "jackpot",
    "9223372036854775807",
    "0.000001",
    "\u{0}",
    "🎲",
    "' OR 1=1",
    "x.y",
    "null",
    "ses_0192f3a0c0de7000800000000000a11c",
];

/// One of the requests that a game really sends, for the mutations to start from.
fn template(random: &mut Random, player: &Player) -> Value {
    let id = format!("f{}", random.below(5));
    let bodies = [
        player.bet(&id, "0.01"),
        player.win(&id, &id, "0.01"),
        player.rollback(&format!("r{id}"), &id),
        player.close(&id),
        player.batch(&id, &[("bet", &id, "0.01"), ("win", &id, "0.02")]),
        json!({ "player": player.id, "currency": "EUR" }),
        json!({ "player": player.id, "currency": "EUR", "amount": "0.01", "reference": id }),
        json!({ "token": format!("lt_test_{}", "A".repeat(43)) }),
    ];
    random.one_of(&bodies).clone()
}

fn any_value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(random.below(2) == 0),
        2 => json!(random.next().cast_signed()),
        3 => json!(f64::from_bits(random.next())),
        4 => json!(random.one_of(&TEXTS)),
        5 => json!(TEXTS[random.below(TEXTS.len())].repeat(random.below(300))),
        6 => (0..random.below(4))
            .map(|_| any_value(random, depth - 1))
            .collect(),
        _ => {
            let count = random.below(4);
            let field = |_| {
                (
                    random.one_of(&TEXTS).to_string(),
                    any_value(random, depth - 1),
                )
            };
            Value::Object((0..count).map(field).collect())
        }
    }
}

fn mutated(random: &mut Random, mut body: Value) -> Value {
    for _ in 0..random.below(3) {
        let Some(fields) = body.as_object_mut() else {
            break;
        };
        let names: Vec<String> = fields.keys().cloned().collect();
        let name = random.one_of(&names).clone();
        match random.below(4) {
            0 => drop(fields.remove(&name)),
            1 => drop(fields.insert(format!("{name}_"), json!(1))),
            _ => drop(fields.insert(name, any_value(random, 3))),
        }
        if fields.is_empty() {
            break;
        }
    }
    body
}

fn any_body(random: &mut Random, player: &Player) -> Vec<u8> {
    match random.below(6) {
        0 => {
            let length = random.below(200);
            random.bytes(length)
        }
        1 => any_value(random, 4).to_string().into_bytes(),
        2 => {
            // Real, but broken off, or with a byte turned.
            let mut text = template(random, player).to_string().into_bytes();
            let place = random.below(text.len());
            match random.below(2) {
                0 => text.truncate(place),
                _ => text[place] ^= 1 << random.below(8),
            }
            text
        }
        3 => [
            b"[".repeat(random.below(16_000)),
            b"{\"a\":".repeat(random.below(1000)),
        ]
        .concat(),
        _ => {
            let body = template(random, player);
            mutated(random, body).to_string().into_bytes()
        }
    }
}

#[track_caller]
fn is_documented(answer: &Answer, request: &str) {
    // Enough to know it by; the seed makes it again.
    let request = &request[..request.len().min(600)];
    assert!(
        answer.status < 500,
        "{request}: {} {}",
        answer.status,
        answer.text
    );
    assert!(
        answer.json.is_object(),
        "{request}: no document: {} {:?}",
        answer.status,
        answer.text
    );
    match answer.status {
        200 | 201 => {}
        status => {
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{request}: {}",
                answer.text
            );
            assert_eq!(answer.json["status"], status, "{request}");
            assert!(!answer.code().is_empty(), "{request}: {}", answer.text);
        }
    }
}

async fn books_balance(client: &Client, player: &Player) {
    let ledger = Ledger::open(&client.at.postgres).await;
    ledger.audited_cash(&player.id).await;
    player.cash(client).await;
}

#[tokio::test]
async fn no_callback_whatever_it_says_ends_in_a_500() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut random = Random::seeded("callbacks");
    for _ in 0..220 {
        let action = *random.one_of(&ACTIONS);
        let body = any_body(&mut random, &player);
        let request = format!("{action} {}", body.escape_ascii());
        let answer = if random.below(5) == 0 {
            // Not signed, or not well.
            let length = random.below(40);
            let noise = random.bytes(length).escape_ascii().to_string();
            let path = client.callback_path(action);
            send(
                client
                    .http(Method::POST, &path)
                    .header("Pitboss-Signature", noise)
                    .body(body),
            )
            .await
        } else {
            client.callback_bytes(action, body).await
        };
        is_documented(&answer, &request);
    }
    books_balance(&client, &player).await;
}

#[tokio::test]
async fn no_rest_request_whatever_it_says_ends_in_a_500() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut random = Random::seeded("rest");
    let deposits = format!("/v1/players/{}/deposits", player.id);
    let paths = [
        "/v1/players",
        &deposits,
        "/v1/sessions",
        "/v1/games/dice/launch",
        "/v1/games/%00/launch",
        "/v1/players/%ff/deposits",
        "/v1/players/a%2Fb/deposits",
        "/v1/nothing",
    ];
    for _ in 0..140 {
        let path = *random.one_of(&paths);
        let body = any_body(&mut random, &player);
        let request = format!("{path} {}", body.escape_ascii());
        let mut sent = client
            .http(Method::POST, path)
            .bearer_auth(&client.at.operator_key)
            .body(body);
        if random.below(3) == 0 {
            sent = sent.header("Idempotency-Key", random.one_of(&TEXTS[1..10]).to_string());
        }
        is_documented(&send(sent).await, &request);
    }
    books_balance(&client, &player).await;
}

#[tokio::test]
async fn no_query_whatever_it_says_ends_in_a_500() {
    let client = shared().await;
    let player = Player::with(&client, "1.00").await;
    let mut random = Random::seeded("queries");
    let values = [
        player.id.as_str(),
        "",
        "0",
        "-1",
        "50",
        "9223372036854775807",
        "99999999999999999999",
        "%00",
        "%ff",
        "%",
        "a%20b",
        "1e3",
    ];
    for _ in 0..60 {
        let list = *random.one_of(&[
            "transactions",
            "rounds",
            "games",
            "stream",
            "players/%00",
            "players/x/wallets",
        ]);
        let query: Vec<String> = (0..random.below(4))
            .map(|_| {
                format!(
                    "{}={}",
                    random.one_of(&["player", "limit", "after", "epoch", "x"]),
                    random.one_of(&values)
                )
            })
            .collect();
        let path = format!("/v1/{list}?{}", query.join("&"));
        let request = client
            .http(Method::GET, &path)
            .bearer_auth(&client.at.operator_key);
        // The client itself does not send what is no URL.
        if let Some(answer) = try_send(request).await {
            is_documented(&answer, &path);
        }
    }
}
