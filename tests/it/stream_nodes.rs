//! One player's sockets on two servers: both see everything, whichever server did it, and a restart loses nothing.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;

use crate::support::{
    casino::{Casino, Node},
    client::Client,
    eventually,
    player::Player,
    stream::Stream,
};

#[tokio::test]
async fn a_socket_sees_what_another_server_did_although_its_own_does_nothing() {
    let casino = Casino::start("neighbours", &["sandbox"]).await;
    let (one, two) = tokio::join!(casino.serve(""), casino.serve(""));
    let (here, there) = (
        casino.client(&one, "sandbox"),
        casino.client(&two, "sandbox"),
    );
    let player = Player::with(&there, "100.00").await;
    let mut all = Stream::open(&here, &player.token, "").await.unwrap();
    let mut balances = Stream::open(&here, &player.token, "?types=balance")
        .await
        .unwrap();
    let mut last = all.first["seq"].as_i64().unwrap();
    for index in 0..5 {
        let bet = player.bet(&format!("b{index}"), "1.00");
        there.callback("bet", &bet).await.ok();
        // Nothing else happens until both were seen.
        for seq in last + 1..=last + 2 {
            assert_eq!(all.next().await["seq"], seq);
        }
        last += 2;
        let balance = balances.next().await;
        assert_eq!(balance["seq"], last, "{balance}");
        assert_eq!(balance["wallets"][0]["cash"], format!("{}.00", 99 - index));
    }
    // The sockets' own server goes on where the other stopped.
    here.callback("bet", &player.bet("own", "1.00")).await.ok();
    assert_eq!(all.next().await["seq"], last + 1);
}

#[tokio::test]
async fn a_login_that_ends_anywhere_closes_its_sockets_on_every_server() {
    let casino = Casino::start("logout", &["sandbox"]).await;
    let more = "[stream]\nlogins_poll_ms = 200\n";
    let (one, two) = tokio::join!(casino.serve(more), casino.serve(more));
    let nodes = [&one, &two].map(|node| casino.client(node, "sandbox"));
    let ledger = casino.ledger("sandbox").await;
    let (player, other) = (
        Player::with(&nodes[0], "1.00").await,
        Player::with(&nodes[0], "1.00").await,
    );
    let mut streams = Vec::new();
    let mut others = Vec::new();
    for node in &nodes {
        streams.push(Stream::open(node, &player.token, "").await.unwrap());
        others.push(Stream::open(node, &other.token, "").await.unwrap());
    }
    let end = "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = $1 AND kind = 'player'";
    ledger.run(end, &player.id).await;
    for stream in &mut streams {
        assert_eq!(stream.closed().await, 4102);
        assert_eq!(stream.reason, "session_expired");
    }
    other.deposit(&nodes[1], "1.00").await;
    for stream in &mut others {
        assert_eq!(stream.next().await["type"], "wallet.deposit_completed");
    }
}

#[tokio::test]
async fn a_stopping_server_sends_its_sockets_away_each_at_another_time() {
    let casino = Casino::start("drain-sockets", &["sandbox"]).await;
    let mut node = casino
        .serve("[stream]\ndrain_jitter_ms = 1000\nsessions_per_player_max = 100\n")
        .await;
    let client = casino.client(&node, "sandbox");
    let player = Player::with(&client, "1.00").await;
    let mut streams = Vec::new();
    for _ in 0..40 {
        streams.push(Stream::open(&client, &player.token, "").await.unwrap());
    }
    let closing = join_all(streams.iter_mut().map(async |stream| {
        let code = stream.closed().await;
        (code, stream.retry_ms())
    }));
    let (closed, status) = tokio::join!(closing, node.program.terminate());
    assert_eq!(status.code(), Some(0), "{}", node.program.log());
    let mut quarters = [0; 4];
    for (code, retry_ms) in closed {
        assert_eq!(code, 4000);
        let jitter = usize::try_from(retry_ms.checked_sub(250).unwrap()).unwrap();
        quarters[(jitter / 250).min(3)] += 1;
    }
    assert!(quarters.iter().all(|clients| *clients >= 5), "{quarters:?}");
}

/// A client as the documentation wants it: it keeps its position, and comes back to whichever server answers.
struct Faithful<'a> {
    nodes: [&'a Client; 2],
    token: &'a str,
    stream: Stream,
    at: usize,
    last: i64,
    reconnects: usize,
}

impl Faithful<'_> {
    /// Reads the next event, which must be the very next.
    async fn step(&mut self) {
        match self.stream.try_events(1).await {
            Ok(events) => {
                assert_eq!(events[0]["seq"], self.last + 1, "{}", events[0]);
                self.last += 1;
            }
            Err(code) => {
                // 0: it was too late for a farewell.
                assert!(code == 0 || (4000..4100).contains(&code), "{code}");
                self.reconnects += 1;
                self.come_back().await;
            }
        }
    }

    async fn come_back(&mut self) {
        let epoch = self.stream.first["epoch"].as_str().unwrap().to_owned();
        let query = format!("?after={}&epoch={epoch}", self.last);
        let stream = eventually("a server that answers", async || {
            self.at = 1 - self.at;
            Stream::try_open(self.nodes[self.at], self.token, &query).await
        })
        .await;
        assert_eq!(stream.first["recovered"], json!(true), "{}", stream.first);
        self.stream = stream;
    }
}

#[tokio::test]
async fn a_rolling_restart_shows_every_event_once_while_bets_go_on() {
    let casino = Casino::start("rolling", &["sandbox"]).await;
    let more = "[stream]\ndrain_jitter_ms = 200\n";
    let (mut one, mut two) = tokio::join!(casino.serve(more), casino.serve(more));
    let nodes = [&one, &two].map(|node| casino.client(node, "sandbox"));
    let player = Player::with(&nodes[0], "100.00").await;
    let stream = Stream::open(&nodes[0], &player.token, "").await.unwrap();
    let first = stream.first["seq"].as_i64().unwrap();
    let stopped = tokio::sync::watch::channel(false);

    let betting = async {
        let mut placed = 0;
        while !*stopped.1.borrow() {
            let body = player.bet(&format!("b{placed}"), "0.01").to_string();
            // As a provider does: the same again, at the other server, until it is answered.
            let mut at = placed % 2;
            eventually("the bet is answered", async || {
                at = 1 - at;
                let body = body.clone().into_bytes();
                let answer = nodes[at].try_callback("bet", body).await?;
                (answer.status == 200).then_some(())
            })
            .await;
            placed += 1;
        }
        placed
    };
    let restarting = async {
        for node in [&mut one, &mut two] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            restart(&casino, node).await;
        }
        stopped.0.send(true).unwrap();
    };
    let mut client = Faithful {
        nodes: [&nodes[0], &nodes[1]],
        token: &player.token,
        stream,
        at: 0,
        last: first,
        reconnects: 0,
    };
    let ledger = casino.ledger("sandbox").await;
    let reading = async {
        loop {
            client.step().await;
        }
    };
    let placed = tokio::select! {
        (placed, ()) = async { tokio::join!(betting, restarting) } => placed,
        () = reading => unreachable!("it reads without an end"),
    };
    // A round's opening and a bet each.
    let newest = ledger
        .number("SELECT last_event FROM player WHERE id = $1", &player.id)
        .await;
    assert_eq!(newest, first + 2 * i64::try_from(placed).unwrap());
    while client.last < newest {
        client.step().await;
    }
    assert!(
        client.reconnects >= 2,
        "{} restarts were noticed",
        client.reconnects
    );
}

async fn restart(casino: &Casino, node: &mut Node) {
    let status = node.program.terminate().await;
    assert_eq!(status.code(), Some(0), "{}", node.program.log());
    casino.serve_again(node).await;
}
