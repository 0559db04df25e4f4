//! A bus that is away stops no bet, and hears everything, in order, when it is back.

use nix::sys::signal::Signal;
use pitboss_services::ScratchDir;

use crate::support::{
    bus::{Bus, Heard},
    casino::Casino,
    client::Client,
    eventually,
    ledger::Ledger,
    player::Player,
    program::{is_alive, pitboss, run, signal_to, stderr},
    sandbox::Sandbox,
};

/// What the streams keep of a player once they have him up to this seq: in the order of each stream.
async fn kept_up_to(client: &Client, player: &Player, from: i64, seq: i64) -> [Vec<Heard>; 3] {
    eventually("all events are on the bus", async || {
        let bus = Bus::listen(&client.at.nats).await;
        let mut kept = Vec::new();
        for stream in ["WALLET", "GAME", "PLAYER"] {
            let of_player = bus
                .kept(stream)
                .await
                .into_iter()
                .filter(|heard| heard.is_of(&player.id));
            kept.push(of_player.collect::<Vec<_>>());
        }
        let count = usize::try_from(seq - from).unwrap();
        let newer = kept
            .iter()
            .flatten()
            .filter(|heard| heard.seq() > from)
            .count();
        (newer >= count).then(|| kept.try_into().unwrap())
    })
    .await
}

fn assert_whole_and_in_order(kept: &[Vec<Heard>; 3], from: i64, seq: i64) {
    for stream in kept {
        assert!(
            stream.is_sorted_by(|a, b| a.seq() < b.seq()),
            "disordered or repeated: {stream:#?}"
        );
    }
    let mut seqs: Vec<i64> = kept
        .iter()
        .flatten()
        .map(Heard::seq)
        .filter(|seq| *seq > from)
        .collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (from + 1..=seq).collect::<Vec<_>>());
}

async fn newest_event(ledger: &Ledger, player: &Player) -> i64 {
    ledger
        .number("SELECT last_event FROM player WHERE id = $1", &player.id)
        .await
}

async fn nothing_waits(ledger: &Ledger) {
    let behind = "SELECT count(*) FROM lane JOIN lane_publisher ON lane = id WHERE published < seq";
    eventually("the outbox is empty", async || {
        let row = ledger.0.query_one(behind, &[]).await.unwrap();
        (row.get::<_, i64>(0) == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn with_nats_killed_bets_go_on_and_the_server_stays_ready() {
    let scratch = ScratchDir::new("no-nats").unwrap();
    let mut sandbox = Sandbox::start(&scratch.join("data"), &[]).await;
    let client = sandbox.client();
    let player = Player::with(&client, "100.00").await;
    signal_to(sandbox.at.pids.nats, Signal::SIGKILL);
    eventually("NATS is gone", async || {
        (!is_alive(sandbox.at.pids.nats)).then_some(())
    })
    .await;
    player.bet_often(&client, "b", 20).await;
    assert_eq!(player.cash(&client).await, "98.00");
    assert_eq!(client.admin("/readyz").await.status, 200);
    // Nothing of it is lost: it waits in the outbox, a row a bet, and a gauge shows how much.
    eventually("the gauge shows what waits", async || {
        let metrics = client.admin("/metrics").await.text;
        let gauge = metrics
            .lines()
            .find(|line| line.starts_with("pitboss_outbox_backlog{"))?
            .to_owned();
        let waiting: f64 = gauge.rsplit_once(' ')?.1.parse().ok()?;
        (waiting >= 20.0).then_some(())
    })
    .await;
    // The events that cannot be published keep it from ending gracefully, but end it does.
    let status = sandbox.program.terminate().await;
    assert!(
        matches!(status.code(), Some(0 | 3)),
        "{status:?}\n{}",
        sandbox.program.log()
    );
}

#[tokio::test]
async fn what_happened_while_nats_was_away_arrives_whole_and_in_order() {
    let mut casino = Casino::start("nats-away", &["sandbox"]).await;
    let node = casino.serve("[nats]\nack_timeout_ms = 500\n").await;
    let client = casino.client(&node, "sandbox");
    let ledger = casino.ledger("sandbox").await;
    let player = Player::with(&client, "100.00").await;
    // Killed in the middle of bets, twice, once for longer than an acknowledgement is waited for.
    for (name, pause_ms) in [("first", 0), ("second", 1200)] {
        let (bettor, better) = (client.clone(), player.clone());
        let betting = tokio::spawn(async move { better.bet_often(&bettor, name, 60).await });
        player
            .bet_often(&client, &format!("{name}-before"), 10)
            .await;
        casino.nats.kill_immediate().await;
        player
            .bet_often(&client, &format!("{name}-during"), 10)
            .await;
        tokio::time::sleep(std::time::Duration::from_millis(pause_ms)).await;
        casino.nats.restart().await.unwrap();
        player
            .bet_often(&client, &format!("{name}-after"), 10)
            .await;
        betting.await.unwrap();
    }
    let newest = newest_event(&ledger, &player).await;
    let kept = kept_up_to(&client, &player, 0, newest).await;
    assert_whole_and_in_order(&kept, 0, newest);
    nothing_waits(&ledger).await;
}

#[tokio::test]
async fn a_server_starts_without_nats_and_tells_it_everything_later() {
    let mut casino = Casino::start("nats-late", &["sandbox"]).await;
    casino.nats.stop().await;
    let node = casino.serve("[nats]\nack_timeout_ms = 500\n").await;
    let client = casino.client(&node, "sandbox");
    let ledger = casino.ledger("sandbox").await;
    let player = Player::with(&client, "100.00").await;
    player.bet_often(&client, "b", 10).await;
    casino.nats.restart().await.unwrap();
    let newest = newest_event(&ledger, &player).await;
    let kept = kept_up_to(&client, &player, 0, newest).await;
    assert_whole_and_in_order(&kept, 0, newest);
    nothing_waits(&ledger).await;
}

#[tokio::test]
async fn a_stream_with_other_settings_is_refused_at_the_start_and_never_changed() {
    let casino = Casino::start("nats-differs", &["sandbox"]).await;
    let node = casino.serve("").await;
    let bus = Bus::listen(&casino.client(&node, "sandbox").at.nats).await;
    eventually("the streams are made", async || {
        bus.jetstream().get_stream("WITHDRAWAL").await.ok()
    })
    .await;
    drop(node);
    let config = casino.config(
        "[nats]\nmax_age_h = 24\n",
        pitboss_services::free_port().unwrap(),
        pitboss_services::free_port().unwrap(),
    );
    let command = pitboss(&["serve", "--config", config.to_str().unwrap()]);
    let output = run(command).await;
    let error = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{error}");
    for told in ["WALLET", "max_age", "604800", "86400"] {
        assert!(error.contains(told), "{told}: {error}");
    }
    drop(casino.serve("").await);
}
