//! What a player's client asks for over its socket: the same as REST gives, and what the stream is about.

use serde_json::{Value, json};

use crate::support::{
    casino::Casino,
    eventually,
    ledger::Ledger,
    player::{GAME, Player},
    sandbox::shared,
    stream::{Stream, seqs, types},
};

#[tokio::test]
async fn a_game_is_launched_over_the_socket_as_over_rest_and_played() {
    let client = shared().await;
    let mut player = Player::with(&client, "100.00").await;
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    let over_rest = player.launched(&client).await.json;
    let launched = stream
        .ask(&json!({ "type": "launch", "game": GAME, "id": "go" }))
        .await;
    assert_eq!(launched["type"], "launched", "{launched}");
    // A socket launches for money alone, so it need not tell the mode.
    let fields = over_rest.as_object().unwrap().keys();
    for field in fields.filter(|field| *field != "mode") {
        assert!(launched[field].is_string(), "{field} is not in {launched}");
    }
    let start = |url: &Value| {
        url.as_str()
            .unwrap()
            .split_once("?token=")
            .unwrap()
            .0
            .to_owned()
    };
    assert_eq!(start(&launched["url"]), start(&over_rest["url"]));

    // The token is good for the provider, and the session for a bet; the socket shows it.
    let token = json!({ "token": launched["token"] });
    let session = client.callback("authenticate", &token).await.ok();
    assert_eq!(session.json["session"], launched["session"]);
    player.session = session.text_at("/session");
    client.callback("bet", &player.bet("b", "10.00")).await.ok();
    let balance = stream.ask(&json!({ "type": "balance", "id": 2 })).await;
    assert_eq!(balance["wallets"][0]["cash"], "90.00");
    assert_eq!(balance["wallets"][0]["held_in_rounds"], "10.00");

    for (game, currency, code) in [
        ("chess", "EUR", "unknown_game"),
        (GAME, "JPY", "currency_mismatch"),
    ] {
        let launch = json!({ "type": "launch", "game": game, "currency": currency, "id": code });
        let refused = stream.ask(&launch).await;
        assert_eq!(refused["code"], code, "{refused}");
    }
}

#[tokio::test]
async fn topics_and_balances_are_chosen_at_connect_and_later() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let refused = Stream::open(&client, &player.token, "?types=wallet.*,slots.*").await;
    assert_eq!(refused.err().unwrap(), (422, "malformed".to_owned()));
    let mut stream = Stream::open(&client, &player.token, "?types=wallet.*,balance")
        .await
        .unwrap();
    let seq = stream.first["seq"].as_i64().unwrap();
    client.callback("bet", &player.bet("b", "5.00")).await.ok();
    // The round's opening came before the bet.
    let bet = stream.next().await;
    assert_eq!(
        (&bet["type"], &bet["seq"]),
        (&json!("wallet.bet_debited"), &json!(seq + 2))
    );
    let balance = stream.next().await;
    let wallets =
        json!([{ "currency": "EUR", "cash": "95.00", "bonus": "0.00", "total": "95.00" }]);
    assert_eq!(
        balance,
        json!({ "type": "balance", "seq": seq + 2, "wallets": wallets })
    );

    let change = json!({ "type": "unsubscribe", "types": ["wallet.*", "balance"], "id": 1 });
    assert_eq!(stream.ask(&change).await["types"], json!([]));
    client
        .callback("win", &player.win("w", "b", "1.00"))
        .await
        .ok();
    let change = json!({ "type": "subscribe", "types": ["game.round_closed"], "id": 2 });
    stream.ask(&change).await;
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    assert_eq!(stream.next().await["type"], "game.round_closed");

    // From where a filtering client stands, it resumes.
    let position = stream.ask(&json!({ "type": "ping", "id": 3 })).await["seq"].clone();
    assert_eq!(position, seq + 4);
    let resume = json!({ "type": "resume", "after": seq, "epoch": stream.first["epoch"], "id": 4 });
    stream
        .ask(&json!({ "type": "subscribe", "types": ["*"], "id": 5 }))
        .await;
    let resumed = stream.ask(&resume).await;
    assert_eq!(
        (&resumed["type"], &resumed["recovered"]),
        (&json!("resumed"), &json!(true))
    );
    let all = stream.until(seq + 4).await;
    assert_eq!(seqs(&all), (seq + 1..=seq + 4).collect::<Vec<_>>());
    let names = [
        "game.round_opened",
        "wallet.bet_debited",
        "wallet.win_credited",
        "game.round_closed",
    ];
    assert_eq!(types(&all), names);
}

#[tokio::test]
async fn a_renewed_token_keeps_the_socket_and_others_do_not() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let other = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    let authenticate = |token: &str| json!({ "type": "authenticate", "token": token, "id": token });
    for token in [
        &other.token,
        "",
        &player.token.replace("pst_test_", "pst_live_"),
    ] {
        let refused = stream.ask(&authenticate(token)).await;
        assert_eq!(refused["code"], "unauthorized", "{token}: {refused}");
    }
    let renewed = player.log_in(&client).await;
    let answer = stream.ask(&authenticate(&renewed)).await;
    assert_eq!(answer["type"], "authenticated", "{answer}");
    // The first login ends; the socket is the second's by now.
    let mut old = Stream::open(&client, &player.token, "").await.unwrap();
    let end = "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1 AND kind = 'player' \
               AND id = (SELECT s.id FROM session s WHERE s.player_id = $1 AND s.kind = 'player' ORDER BY s.created_at LIMIT 1)";
    ledger.run(end, &player.id).await;
    assert_eq!(old.closed().await, 4102);
    player.deposit(&client, "1.00").await;
    assert_eq!(stream.next().await["type"], "wallet.deposit_completed");
    let over = stream.ask(&authenticate(&player.token)).await;
    assert_eq!(over["code"], "session_expired", "{over}");
}

#[tokio::test]
async fn too_many_wrong_tokens_close_the_socket_and_no_other() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut good = Stream::open(&client, &player.token, "").await.unwrap();
    let mut bad = Stream::open(&client, &player.token, "").await.unwrap();
    for _ in 0..4 {
        bad.send(r#"{"type":"authenticate","token":"guess"}"#).await;
    }
    assert_eq!(bad.closed().await, 4104);
    player.deposit(&client, "1.00").await;
    assert_eq!(good.next().await["type"], "wallet.deposit_completed");
}

#[tokio::test]
async fn only_the_listed_web_pages_open_a_socket() {
    let casino = Casino::start("origins", &["sandbox"]).await;
    let (listed, strict) = tokio::join!(
        casino.serve("[stream]\norigins = [\"https://casino.example\"]\n"),
        casino.serve("[stream]\norigins = [\"https://casino.example\"]\norigin_required = true\n"),
    );
    let (listed, strict) = (
        casino.client(&listed, "sandbox"),
        casino.client(&strict, "sandbox"),
    );
    let player = Player::with(&listed, "1.00").await;
    let refused = (403, "origin_refused".to_owned());
    for node in [&listed, &strict] {
        let page = Stream::open_from(node, &player.token, "https://casino.example").await;
        assert_eq!(page.unwrap().first["type"], "snapshot");
        for origin in [
            "https://evil.example",
            "http://casino.example",
            "https://casino.example:8443",
            "https://casino.example.evil.example",
            "null",
        ] {
            let page = Stream::open_from(node, &player.token, origin).await;
            assert_eq!(page.err().unwrap(), refused, "{origin}");
        }
        // Before the token is looked at.
        let page = Stream::open_from(node, "nobody", "https://evil.example").await;
        assert_eq!(page.err().unwrap(), refused);
    }
    // Programs send no Origin.
    assert!(Stream::open(&listed, &player.token, "").await.is_ok());
    let program = Stream::open(&strict, &player.token, "").await;
    assert_eq!(program.err().unwrap(), refused);
    // No refused upgrade left a session behind.
    eventually("no socket is open", async || {
        let metrics = strict.admin("/metrics").await.text;
        let mut open = metrics
            .lines()
            .filter(|line| line.starts_with("pitboss_sessions_open{"));
        open.all(|line| line.ends_with(" 0")).then_some(())
    })
    .await;
}
