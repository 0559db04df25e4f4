//! `GET /v1/stream`: a snapshot, then every event of that player in order, without a gap or a repeat.

use serde_json::json;

use crate::support::{
    ledger::Ledger,
    player::Player,
    sandbox::shared,
    stream::{Stream, seqs, types},
};

#[tokio::test]
async fn it_begins_with_a_snapshot_and_shows_every_event_with_the_balance_after_it() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    client
        .callback("bet", &player.bet("open", "10.00"))
        .await
        .ok();
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    let first = &stream.first;
    assert_eq!(first["type"], "snapshot");
    let seq = first["seq"].as_i64().unwrap();
    assert_eq!(first["wallets"][0]["total"], "90.00");
    assert_eq!(first["wallets"][0]["held_in_rounds"], "10.00");
    assert_eq!(first["open_rounds"][0]["round"], "r-open");

    let bet = client.callback("bet", &player.bet("b", "5.00")).await.ok();
    client
        .callback("win", &player.win("w", "b", "7.50"))
        .await
        .ok();
    client
        .callback("rollback", &player.rollback("rb", "open"))
        .await
        .ok();
    client
        .callback("close_round", &player.close("b"))
        .await
        .ok();
    player.deposit(&client, "1.00").await;
    let events = stream.events(6).await;
    let expected = [
        "game.round_opened",
        "wallet.bet_debited",
        "wallet.win_credited",
        "wallet.bet_rolled_back",
        "game.round_closed",
        "wallet.deposit_completed",
    ];
    assert_eq!(types(&events), expected);
    assert_eq!(seqs(&events), (seq + 1..=seq + 6).collect::<Vec<_>>());
    let balances: Vec<_> = events
        .iter()
        .filter_map(|event| event["data"]["balance"]["cash"].as_str())
        .collect();
    assert_eq!(balances, ["85.00", "92.50", "102.50", "103.50"]);
    assert_eq!(events[1]["transaction"], bet.json["transaction_id"]);
    for event in &events {
        assert_eq!(event["player"], player.id);
        assert_eq!(event["environment"], "sandbox");
    }
}

#[tokio::test]
async fn a_repeat_and_a_refusal_are_no_events() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    for _ in 0..3 {
        client.callback("bet", &player.bet("b", "5.00")).await.ok();
        client
            .callback("bet", &player.bet("too much", "500.00"))
            .await
            .refused(402, "insufficient_funds");
    }
    player.deposit(&client, "1.00").await;
    let events = stream.events(3).await;
    assert_eq!(
        types(&events),
        [
            "game.round_opened",
            "wallet.bet_debited",
            "wallet.deposit_completed"
        ]
    );
}

#[tokio::test]
async fn two_sockets_of_a_player_see_the_same_and_another_player_sees_nothing_of_it() {
    let client = shared().await;
    let (player, other) = (
        Player::with(&client, "100.00").await,
        Player::with(&client, "100.00").await,
    );
    let mut one = Stream::open(&client, &player.token, "").await.unwrap();
    let mut two = Stream::open_by_subprotocol(&client, &player.token)
        .await
        .unwrap();
    let mut elsewhere = Stream::open(&client, &other.token, "").await.unwrap();
    assert_eq!(one.first, two.first);
    for index in 0..10 {
        client
            .callback("bet", &player.bet(&format!("b{index}"), "1.00"))
            .await
            .ok();
    }
    assert_eq!(one.events(20).await, two.events(20).await);
    other.deposit(&client, "1.00").await;
    assert_eq!(
        types(&elsewhere.events(1).await),
        ["wallet.deposit_completed"]
    );
}

#[tokio::test]
async fn a_resume_has_no_gap_and_no_repeat_while_bets_keep_coming() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let stream = Stream::open(&client, &player.token, "").await.unwrap();
    let (mut last, epoch) = (
        stream.first["seq"].as_i64().unwrap(),
        stream.first["epoch"].clone(),
    );
    let epoch = epoch.as_str().unwrap();
    drop(stream);
    let (bettor, better) = (client.clone(), player.clone());
    let betting = tokio::spawn(async move {
        for index in 0..60 {
            bettor
                .callback("bet", &better.bet(&format!("b{index}"), "0.10"))
                .await
                .ok();
        }
    });
    let end = last + 120;
    // Connects again and again, each time reading only a little.
    while last < end {
        let query = format!("?after={last}&epoch={epoch}");
        let mut stream = Stream::open(&client, &player.token, &query).await.unwrap();
        assert_eq!(
            (&stream.first["type"], &stream.first["recovered"]),
            (&json!("resumed"), &json!(true))
        );
        for seq in last + 1..=(last + 17).min(end) {
            let event = stream.next().await;
            assert_eq!(event["seq"], seq, "{event}");
            last = seq;
        }
    }
    betting.await.unwrap();
}

#[tokio::test]
async fn a_position_that_means_nothing_here_gets_a_new_snapshot() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let other_epoch = "?after=1&epoch=00000000-0000-0000-0000-000000000000";
    for query in [
        "?after=999999",
        "?after=-1",
        other_epoch,
        "?after=1&epoch=nonsense",
    ] {
        let stream = Stream::open(&client, &player.token, query).await.unwrap();
        assert_eq!(stream.first["type"], "snapshot", "{query}");
        assert_eq!(stream.first["recovered"], false, "{query}");
    }
    let everything = Stream::open(&client, &player.token, "?after=0")
        .await
        .unwrap();
    assert_eq!(everything.first["type"], "resumed");
}

#[tokio::test]
async fn only_a_players_own_live_token_opens_it_and_never_from_the_url() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let launch = player.launch_token(&client).await;
    let live = player.token.replace("pst_test_", "pst_live_");
    let nobody = format!("pst_test_{}", "A".repeat(43));
    for token in ["", "x", &live, &nobody, &client.at.operator_key, &launch] {
        let refused = Stream::open(&client, token, "").await.err().unwrap();
        assert_eq!(refused, (401, "unauthorized".to_owned()), "{token}");
    }
    for name in ["token", "access_token", "authorization"] {
        let query = format!("?{name}={}", player.token);
        let refused = Stream::open(&client, "", &query).await.err().unwrap();
        assert_eq!(refused, (401, "unauthorized".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn a_session_that_is_over_opens_no_stream_and_closes_an_open_one() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let ledger = Ledger::open(&client.at.postgres).await;
    let expires = "UPDATE session SET expires_at = now() + interval '1500 ms' WHERE player_id = $1 AND kind = 'player'";
    ledger.run(expires, &player.id).await;
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    assert_eq!(stream.closed().await, 4102);
    let refused = Stream::open(&client, &player.token, "")
        .await
        .err()
        .unwrap();
    assert_eq!(refused, (403, "session_expired".to_owned()));
    let token = player.log_in(&client).await;
    ledger
        .run(
            "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1",
            &player.id,
        )
        .await;
    let refused = Stream::open(&client, &token, "").await.err().unwrap();
    assert_eq!(refused, (403, "session_expired".to_owned()));
}

#[tokio::test]
async fn a_frame_above_the_limit_closes_the_socket_and_no_other() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut good = Stream::open(&client, &player.token, "").await.unwrap();
    let mut bad = Stream::open(&client, &player.token, "").await.unwrap();
    bad.send(&"x".repeat(5000)).await;
    assert_eq!(bad.closed().await, 4101);
    player.deposit(&client, "1.00").await;
    assert_eq!(types(&good.events(1).await), ["wallet.deposit_completed"]);
}

#[tokio::test]
async fn commands_are_answered_and_a_flood_of_them_is_closed() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut stream = Stream::open(&client, &player.token, "").await.unwrap();
    let seq = stream.first["seq"].clone();
    for (command, answer) in [
        (
            r#"{"type":"ping","id":7}"#,
            json!({ "type": "pong", "id": 7, "seq": seq }),
        ),
        (
            r#"{"type":"dance","id":"x"}"#,
            json!({ "type": "error", "code": "unknown_command", "id": "x" }),
        ),
        (
            "nonsense",
            json!({ "type": "error", "code": "bad_command" }),
        ),
    ] {
        stream.send(command).await;
        assert_eq!(stream.next().await, answer);
    }
    for _ in 0..100 {
        stream.send(r#"{"type":"ping"}"#).await;
    }
    assert_eq!(stream.closed().await, 4100);
}

#[tokio::test]
async fn a_ninth_socket_of_one_player_replaces_the_oldest() {
    let client = shared().await;
    let player = Player::with(&client, "100.00").await;
    let mut streams = Vec::new();
    for _ in 0..9 {
        streams.push(Stream::open(&client, &player.token, "").await.unwrap());
    }
    assert_eq!(streams[0].closed().await, 4103);
    player.deposit(&client, "1.00").await;
    for stream in &mut streams[1..] {
        assert_eq!(types(&stream.events(1).await), ["wallet.deposit_completed"]);
    }
}
