//! What is not understood is refused with its documented error, and not a row is written.

use serde_json::{Value, json};

use crate::support::{
    ledger::Ledger,
    player::{Player, with},
    sandbox::shared,
};

/// Fields of a bet, and values that none of them may have.
fn malformed_bets(player: &Player) -> Vec<Value> {
    let bet = player.bet("b", "1.00");
    let wrong: &[(&str, &[Value])] = &[
        (
            "transaction_id",
            &[
                json!(null),
                json!(7),
                json!(""),
                json!("x".repeat(256)),
                json!("a\u{0}b"),
                json!(["a"]),
            ],
        ),
        (
            "player",
            &[
                json!(null),
                json!(""),
                json!("x".repeat(65)),
                json!("a b"),
                json!("ä"),
                json!({}),
            ],
        ),
        ("session", &[json!(null), json!(1)]),
        (
            "game",
            &[
                json!(null),
                json!(""),
                json!("g".repeat(129)),
                json!("a\nb"),
            ],
        ),
        (
            "round",
            &[
                json!(null),
                json!(""),
                json!("r".repeat(256)),
                json!("\u{0}"),
                json!(1.5),
            ],
        ),
        ("currency", &[json!(null), json!(978)]),
        ("round_closed", &[json!("true"), json!(1)]),
        (
            "free_round",
            &[json!(""), json!(1), json!("paid, yet not free")],
        ),
        (
            "jackpot_contribution",
            &[json!("-1"), json!("2.00"), json!(0.1)],
        ),
    ];
    let amounts = [
        json!(null),
        json!(1),
        json!(1.0),
        json!(""),
        json!(" "),
        json!("-1.00"),
        json!("+1.00"),
        json!("1,00"),
        json!("1e3"),
        json!("0x10"),
        json!("1."),
        json!(".5"),
        json!("NaN"),
        json!("Infinity"),
        json!("0.0000001"),
        json!("1.00 "),
        json!("١"),
        json!("9223372036855"),
        json!("99999999999999999999999999999999"),
        json!(true),
        json!("1_000"),
    ];
    let fields = wrong
        .iter()
        .flat_map(|(field, values)| values.iter().map(move |value| (*field, value.clone())));
    fields
        .chain(amounts.into_iter().map(|value| ("amount", value)))
        .map(|(field, value)| with(&bet, field, value))
        .collect()
}

#[tokio::test]
async fn a_malformed_callback_is_refused_and_nothing_is_written() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let before = ledger.rows(&player.id).await;
    for body in malformed_bets(&player) {
        client
            .callback("bet", &body)
            .await
            .refused(422, "malformed");
    }
    let texts: [&[u8]; 16] = [
        b"",
        b" ",
        b"null",
        b"[]",
        b"\"bet\"",
        b"7",
        b"{",
        b"{}",
        b"{\"player\":}",
        b"\xff\xfe",
        b"{\"a\":\"\xff\"}",
        b"{\"a\":1}{}",
        b"{'a':1}",
        b"{\"a\":1,}",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\"\\ud800\"}",
    ];
    for action in [
        "authenticate",
        "balance",
        "bet",
        "win",
        "bet_win",
        "rollback",
        "close_round",
    ] {
        for text in texts {
            let answer = client.callback_bytes(action, text.to_vec()).await;
            answer.refused(422, "malformed");
        }
    }
    assert_eq!(ledger.rows(&player.id).await, before);
}

#[tokio::test]
async fn a_field_that_is_there_twice_is_refused() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let text = player.bet("b", "1.00").to_string();
    let twice = text.replacen('{', r#"{"amount":"2.00","#, 1);
    client
        .callback_bytes("bet", twice.into_bytes())
        .await
        .refused(422, "malformed");
    assert_eq!(player.cash(&client).await, "100.00");
}

#[tokio::test]
async fn the_detail_names_the_field() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let batch = player.batch("r", &[("bet", "b", "1.00"), ("win", "w", "-1")]);
    for (action, body, named) in [
        ("bet", with(&player.bet("b", "1.00"), "amount", 1), "amount"),
        (
            "bet",
            with(&player.bet("b", "1.00"), "round", json!(null)),
            "round",
        ),
        (
            "win",
            with(&player.win("w", "b", "1.00"), "kind", "lucky"),
            "kind",
        ),
        ("bet_win", batch, "actions[1].amount"),
        ("bet_win", player.batch("r", &[]), "actions"),
        (
            "bet_win",
            player.batch("r", &[("steal", "s", "1.00")]),
            "actions[0].type",
        ),
        (
            "rollback",
            with(
                &player.rollback("rb", "b"),
                "target_transaction_id",
                json!(null),
            ),
            "target_transaction_id",
        ),
    ] {
        let answer = client
            .callback(action, &body)
            .await
            .refused(422, "malformed");
        let detail = answer.text_at("/detail");
        assert!(detail.starts_with(named), "{named}: {detail}");
    }
}

#[tokio::test]
async fn a_body_above_16_kb_is_too_large_and_one_of_16_kb_is_not() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let before = ledger.rows(&player.id).await;
    let bet = player.bet("b", "1.00");
    let padded = |length: usize| {
        let bare = with(&bet, "padding", "").to_string().len();
        with(&bet, "padding", "x".repeat(length - bare))
            .to_string()
            .into_bytes()
    };
    client
        .callback_bytes("bet", padded(16_385))
        .await
        .refused(413, "body_too_large");
    client
        .callback_bytes("bet", vec![b'x'; 1 << 20])
        .await
        .refused(413, "body_too_large");
    assert_eq!(ledger.rows(&player.id).await, before);
    client.callback_bytes("bet", padded(16_384)).await.ok();
}

#[tokio::test]
async fn a_body_of_unknown_length_is_held_to_the_same_bound() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let client = shared().await;
    let address = client.at.api.trim_start_matches("http://");
    let mut socket = tokio::net::TcpStream::connect(address).await.unwrap();
    let path = client.callback_path("bet");
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    for _ in 0..20 {
        socket
            .write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes())
            .await
            .unwrap();
    }
    let mut answer = vec![0; 4096];
    let length = socket.read(&mut answer).await.unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]);
    assert!(
        answer.starts_with("HTTP/1.1 413 ") && answer.contains("body_too_large"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_batch_has_at_most_100_actions() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ids: Vec<String> = (0..101).map(|index| index.to_string()).collect();
    let actions: Vec<_> = ids.iter().map(|id| ("bet", id.as_str(), "0.01")).collect();
    client
        .callback("bet_win", &player.batch("r", &actions))
        .await
        .refused(422, "malformed");
    let answer = client
        .callback("bet_win", &player.batch("r", &actions[..100]))
        .await
        .ok();
    assert_eq!(answer.cash(), "99.00");
}

#[tokio::test]
async fn an_id_may_be_in_a_batch_once() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let batch = player.batch("r", &[("bet", "b", "1.00"), ("bet", "b", "1.00")]);
    let answer = client.callback("bet_win", &batch).await;
    assert!(
        matches!(answer.status, 409 | 422),
        "{} {}",
        answer.status,
        answer.text
    );
    assert_eq!(player.cash(&client).await, "100.00");
}

#[tokio::test]
async fn money_that_no_balance_can_hold_is_refused() {
    const MOST: &str = "9223372036854.775807";
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    let before = ledger.rows(&player.id).await;
    let ids: Vec<String> = (0..100).map(|index| format!("w{index}")).collect();
    let wins: Vec<_> = ids.iter().map(|id| ("win", id.as_str(), MOST)).collect();
    let bets: Vec<_> = ids.iter().map(|id| ("bet", id.as_str(), MOST)).collect();
    for (action, body) in [
        ("bet", player.bet("b1", MOST)),
        ("win", player.win("w", "b", MOST)),
        ("bet_win", player.batch("r1", &wins)),
        ("bet_win", player.batch("r2", &bets)),
        ("bet_win", player.batch("r-b", &wins[..2])),
    ] {
        let answer = client.callback(action, &body).await;
        assert!(
            matches!(answer.status, 402 | 409 | 422),
            "{action}: {} {}",
            answer.status,
            answer.text
        );
    }
    let deposit = json!({ "amount": MOST, "currency": "EUR", "reference": player.id });
    let answer = client
        .post(&format!("/v1/players/{}/deposits", player.id), &deposit)
        .await;
    assert!(
        matches!(answer.status, 409 | 422),
        "{} {}",
        answer.status,
        answer.text
    );
    assert_eq!(ledger.rows(&player.id).await, before);
    assert_eq!(ledger.audited_cash(&player.id).await, 99_000_000);
}
