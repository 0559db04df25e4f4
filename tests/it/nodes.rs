//! Two servers on one database: every path is safe with a stale twin (T6, INV-2, INV-4).

use futures_util::future::join_all;
use serde_json::Value;

use crate::support::{
    bus::Bus,
    casino::Casino,
    client::Client,
    eventually,
    player::Player,
    program::stdout,
    random::Random,
    stream::{Stream, seqs},
};

/// Sends it until it is answered, as a provider does.
async fn settle(client: &Client, action: &str, body: &Value) -> crate::support::client::Answer {
    eventually("an answer other than retry", async || {
        let answer = client.callback(action, body).await;
        (!matches!(answer.status, 429 | 503)).then_some(answer)
    })
    .await
}

#[tokio::test]
async fn bets_sprayed_over_two_nodes_are_neither_lost_nor_doubled() {
    let casino = Casino::start("two-nodes", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(""), casino.serve(""));
    let nodes = [
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    ];
    let ledger = casino.ledger("sandbox").await;
    let mut bus = Bus::listen(&nodes[0].at.nats).await;
    let player = Player::with(&nodes[0], "100.00").await;
    let mut streams = Vec::new();
    for node in &nodes {
        streams.push(Stream::open(node, &player.token, "?after=0").await.unwrap());
    }

    let mut random = Random::seeded("two_nodes");
    let bets: Vec<Value> = (0..60)
        .map(|index| player.bet(&format!("b{index}"), "0.50"))
        .collect();
    // Each twice or more, on either node, many at once.
    let mut requests: Vec<(usize, &Value)> = Vec::new();
    for bet in &bets {
        for _ in 0..2 + random.below(2) {
            requests.push((random.below(2), bet));
        }
    }
    for index in (1..requests.len()).rev() {
        requests.swap(index, random.below(index + 1));
    }
    for chunk in requests.chunks(20) {
        let answers = join_all(
            chunk
                .iter()
                .map(|(node, bet)| settle(&nodes[*node], "bet", bet)),
        )
        .await;
        answers.into_iter().for_each(|answer| drop(answer.ok()));
    }
    assert_eq!(ledger.applied(&player.id, "bet").await.len(), bets.len());
    for index in 0..bets.len() {
        assert_eq!(ledger.movements(&player.id, &format!("b{index}")).await, 1);
    }
    assert_eq!(ledger.audited_cash(&player.id).await, 70_000_000);

    // A repeat is the same answer on either node.
    for bet in bets.iter().take(10) {
        let (here, there) =
            tokio::join!(settle(&nodes[0], "bet", bet), settle(&nodes[1], "bet", bet));
        assert_eq!(here.ok().text, there.ok().text);
    }
    // And both nodes' streams, and the bus, tell one story, although nothing happens any more.
    let newest = ledger
        .number("SELECT last_event FROM player WHERE id = $1", &player.id)
        .await;
    let all: Vec<i64> = (1..=newest).collect();
    for stream in &mut streams {
        assert_eq!(seqs(&stream.until(newest).await), all);
    }
    let mut heard: Vec<i64> = bus
        .until(&player.id, newest)
        .await
        .iter()
        .map(crate::support::bus::Heard::seq)
        .collect();
    heard.dedup();
    assert_eq!(heard, all);
    let audit = casino.audit().await;
    assert!(audit.status.success(), "{}", stdout(&audit));
}

#[tokio::test]
async fn the_same_request_on_both_nodes_at_once_is_one_movement_and_one_answer() {
    let casino = Casino::start("twin-nodes", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(""), casino.serve(""));
    let nodes = [
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    ];
    let ledger = casino.ledger("sandbox").await;
    let player = Player::with(&nodes[0], "100.00").await;
    for index in 0..15 {
        let id = format!("b{index}");
        let requests = [
            ("bet", player.bet(&id, "1.00")),
            ("win", player.win(&id, &id, "0.50")),
            (
                "bet_win",
                player.batch(
                    &format!("batch{index}"),
                    &[
                        ("bet", &format!("x{index}"), "1.00"),
                        ("win", &format!("y{index}"), "0.50"),
                    ],
                ),
            ),
            (
                "rollback",
                player.rollback(&format!("rb{index}"), &format!("never{index}")),
            ),
            ("close_round", player.close(&id)),
        ];
        for (action, body) in &requests {
            let (here, there) = tokio::join!(
                settle(&nodes[0], action, body),
                settle(&nodes[1], action, body)
            );
            let (here, there) = (here.ok(), there.ok());
            assert_eq!(
                here.json["transaction_id"], there.json["transaction_id"],
                "{action}"
            );
            assert_eq!(here.json["balance"], there.json["balance"], "{action}");
            assert_ne!(
                here.json["replayed"], there.json["replayed"],
                "{action}: one applied"
            );
        }
        let late = player.bet(&format!("never{index}"), "1.00");
        let (here, there) = tokio::join!(
            settle(&nodes[0], "bet", &late),
            settle(&nodes[1], "bet", &late)
        );
        here.refused(409, "rolled_back");
        there.refused(409, "rolled_back");
    }
    assert_eq!(ledger.audited_cash(&player.id).await, 85_000_000);
}

#[tokio::test]
async fn a_repeat_on_a_node_that_never_saw_the_player_is_answered_before_any_check() {
    let casino = Casino::start("cold-node", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(""), casino.serve(""));
    let (one, two) = (
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    );
    let ledger = casino.ledger("sandbox").await;
    let player = Player::with(&one, "100.00").await;
    let bet = player.bet("b", "100.00");
    let first = one.callback("bet", &bet).await.ok();
    for statement in [
        "UPDATE player SET status = 'blocked', version = version + 1 WHERE id = $1",
        "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1",
    ] {
        ledger.run(statement, &player.id).await;
    }
    // T3: broke, blocked and logged out, on a node without a memory of it.
    let again = two.callback("bet", &bet).await.ok();
    assert_eq!(
        again.text,
        first
            .text
            .replace(r#""replayed":false"#, r#""replayed":true"#)
    );
    two.callback("bet", &player.bet("new", "1.00"))
        .await
        .refused(403, "player_blocked");
}

#[tokio::test]
async fn what_may_happen_once_happens_once_over_both_nodes() {
    let casino = Casino::start("once", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(""), casino.serve(""));
    let nodes = [
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    ];
    let ledger = casino.ledger("sandbox").await;
    let players = [
        Player::with(&nodes[0], "1.00").await,
        Player::with(&nodes[1], "1.00").await,
    ];
    for index in 0..10 {
        // A launch token.
        let token = players[0].launch_token(&nodes[index % 2]).await;
        let body = serde_json::json!({ "token": token });
        let (here, there) = tokio::join!(
            settle(&nodes[0], "authenticate", &body),
            settle(&nodes[1], "authenticate", &body),
        );
        let mut statuses = [here.status, there.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{} {}", here.text, there.text);

        // A deposit's reference, whoever it is for.
        let reference = format!("psp-{index}");
        let body =
            serde_json::json!({ "amount": "1.00", "currency": "EUR", "reference": reference });
        let path = |player: &Player| format!("/v1/players/{}/deposits", player.id);
        let (mine, his) = (path(&players[0]), path(&players[1]));
        let (here, there) = tokio::join!(nodes[0].post(&mine, &body), nodes[1].post(&his, &body));
        let mut statuses = [here.status, there.status];
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409], "{} {}", here.text, there.text);
    }
    let mut sum = 0;
    for player in &players {
        sum += ledger.audited_cash(&player.id).await;
    }
    assert_eq!(sum, 12_000_000);
}
