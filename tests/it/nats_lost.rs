//! A JetStream that lost something gets it again, from the outbox, by itself: each event once, in order, as it was.

use std::{collections::HashSet, path::PathBuf};

use crate::support::{
    bus::{Bus, Heard},
    casino::{Casino, Node, done},
    client::Client,
    eventually,
    ledger::Ledger,
    player::Player,
};

const QUICK: &str = "[nats]\nack_timeout_ms = 500\n";

/// A casino with a server, two players and some bets that are on the bus.
struct Scene {
    casino: Casino,
    node: Node,
    client: Client,
    ledger: Ledger,
    players: Vec<Player>,
}

impl Scene {
    async fn begin(label: &str) -> Self {
        Self::begin_with(label, QUICK).await
    }

    async fn begin_with(label: &str, more: &str) -> Self {
        let casino = Casino::start(label, &["sandbox"]).await;
        let node = casino.serve(more).await;
        let client = casino.client(&node, "sandbox");
        let ledger = casino.ledger("sandbox").await;
        let mut players = Vec::new();
        for _ in 0..2 {
            players.push(Player::with(&client, "100.00").await);
        }
        let scene = Self {
            casino,
            node,
            client,
            ledger,
            players,
        };
        scene.play("before", 10).await;
        scene.all_is_published().await;
        scene
    }

    async fn play(&self, name: &str, count: usize) {
        for player in &self.players {
            player.bet_often(&self.client, name, count).await;
        }
    }

    async fn all_is_published(&self) {
        let behind =
            "SELECT count(*) FROM lane JOIN lane_publisher ON lane = id WHERE published < seq";
        eventually("the outbox is empty", async || {
            let row = self.ledger.0.query_one(behind, &[]).await.unwrap();
            (row.get::<_, i64>(0) == 0).then_some(())
        })
        .await;
    }

    fn store(&self) -> PathBuf {
        self.casino.scratch.join("nats").join("jetstream")
    }

    async fn events_in_outbox(&self, player: &Player) -> Vec<String> {
        let query = "SELECT body FROM event WHERE player_id = $1 ORDER BY seq";
        let rows = self.ledger.0.query(query, &[&player.id]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// What is on the bus of everybody, in the order of each stream, once repeats are dropped by id.
    async fn on_the_bus(&self) -> Vec<Heard> {
        let bus = Bus::listen(&self.client.at.nats).await;
        let mut all = Vec::new();
        for stream in ["WALLET", "GAME", "PLAYER"] {
            let mut seen = HashSet::new();
            let kept = bus.kept(stream).await.into_iter();
            all.extend(kept.filter(|heard| seen.insert(heard.message_id.clone())));
        }
        all
    }

    /// Every committed event of every player is on the bus exactly once, in order within its stream, byte for byte.
    async fn the_bus_has_all(&self) {
        let mut wanted = Vec::new();
        for player in &self.players {
            wanted.push(self.events_in_outbox(player).await);
        }
        let count: usize = wanted.iter().map(Vec::len).sum();
        let kept = eventually("all events are on the bus", async || {
            let kept = self.on_the_bus().await;
            (kept.len() >= count).then_some(kept)
        })
        .await;
        for (player, wanted) in self.players.iter().zip(&wanted) {
            let mut his: Vec<&Heard> = kept
                .iter()
                .filter(|heard| heard.is_of(&player.id))
                .collect();
            for family in ["wallet.", "game.", "player."] {
                let of_family = his.iter().filter(|heard| heard.subject.starts_with(family));
                let seqs: Vec<i64> = of_family.map(|heard| heard.seq()).collect();
                assert!(seqs.is_sorted_by(|a, b| a < b), "{family}: {seqs:?}");
            }
            his.sort_by_key(|heard| heard.seq());
            let bodies: Vec<&String> = his.iter().map(|heard| &heard.text).collect();
            assert_eq!(bodies, wanted.iter().collect::<Vec<_>>());
        }
        self.all_is_published().await;
    }

    /// A counter of the server.
    async fn counter(&self, name: &str) -> u64 {
        let metrics = self.client.admin("/metrics").await.text;
        let line = metrics
            .lines()
            .find(|line| line.starts_with(&format!("{name}{{")));
        line.and_then(|line| line.rsplit_once(' '))
            .map_or(0, |(_, value)| value.parse().unwrap())
    }
}

#[tokio::test]
async fn a_store_that_is_wiped_while_the_server_runs_is_filled_again_while_bets_go_on() {
    let mut scene = Scene::begin("lost-running").await;
    let (bettor, better) = (scene.client.clone(), scene.players[0].clone());
    let betting = tokio::spawn(async move { better.bet_often(&bettor, "meanwhile", 60).await });
    scene.casino.nats.kill_immediate().await;
    std::fs::remove_dir_all(scene.store()).unwrap();
    scene.play("during", 5).await;
    scene.casino.nats.restart().await.unwrap();
    scene.play("after", 5).await;
    betting.await.unwrap();
    scene.the_bus_has_all().await;
    assert!(scene.counter("pitboss_bridge_rewinds_total").await >= 1);
    assert!(scene.counter("pitboss_bridge_redelivered_total").await >= 1);
}

#[tokio::test]
async fn a_store_that_is_wiped_while_nobody_plays_is_filled_again_too() {
    let mut scene = Scene::begin("lost-quiet").await;
    scene.casino.nats.stop().await;
    std::fs::remove_dir_all(scene.store()).unwrap();
    scene.casino.nats.restart().await.unwrap();
    scene.the_bus_has_all().await;
}

#[tokio::test]
async fn a_store_that_is_wiped_while_the_server_is_stopped_is_filled_again_at_the_start() {
    let mut scene = Scene::begin("lost-stopped").await;
    scene.node.program.terminate().await;
    scene.casino.nats.stop().await;
    std::fs::remove_dir_all(scene.store()).unwrap();
    scene.casino.nats.restart().await.unwrap();
    scene.casino.serve_again(&mut scene.node).await;
    scene.the_bus_has_all().await;
}

#[tokio::test]
async fn a_stream_that_is_deleted_gets_its_events_again_and_no_other_stream_does() {
    let scene = Scene::begin("lost-stream").await;
    let bus = Bus::listen(&scene.client.at.nats).await;
    let lost = u64::try_from(bus.kept("WALLET").await.len()).unwrap();
    bus.jetstream().delete_stream("WALLET").await.unwrap();
    scene.play("after", 5).await;
    scene.the_bus_has_all().await;
    // Those of nobody, once: the keys, and the configuration.
    let mut all = bus.kept("SYSTEM").await.len();
    assert!(all > 0);
    for player in &scene.players {
        all += scene.events_in_outbox(player).await.len();
    }
    let published = scene.counter("pitboss_bridge_published_total").await;
    assert_eq!(published, u64::try_from(all).unwrap() + lost);
}

#[tokio::test]
async fn a_stream_that_lost_its_end_gets_it_again() {
    let mut scene = Scene::begin("lost-end").await;
    let (store, copy) = (scene.store(), scene.casino.scratch.join("copy"));
    scene.casino.nats.stop().await;
    copy_folder(&store, &copy);
    scene.casino.nats.restart().await.unwrap();
    scene.play("forgotten", 10).await;
    scene.all_is_published().await;
    scene.casino.nats.stop().await;
    std::fs::remove_dir_all(&store).unwrap();
    std::fs::rename(&copy, &store).unwrap();
    scene.casino.nats.restart().await.unwrap();
    scene.play("after", 5).await;
    scene.the_bus_has_all().await;
}

#[tokio::test]
async fn a_server_that_is_killed_while_it_publishes_leaves_nothing_out_and_nothing_in_disorder() {
    let mut scene = Scene::begin("lost-server").await;
    for round in 0..3 {
        let betting: Vec<_> = scene
            .players
            .iter()
            .map(|player| {
                let (client, player) = (scene.client.clone(), player.clone());
                tokio::spawn(async move {
                    for index in 0..200 {
                        let bet = player.bet(&format!("kill{round}-{index}"), "0.01");
                        let bytes = bet.to_string().into_bytes();
                        let _ = client.try_callback("bet", bytes).await;
                    }
                })
            })
            .collect();
        let before = scene.counter("pitboss_bridge_published_total").await;
        eventually("it publishes", async || {
            (scene.counter("pitboss_bridge_published_total").await > before).then_some(())
        })
        .await;
        scene.node.program.kill().await;
        for betting in betting {
            betting.await.unwrap();
        }
        scene.casino.serve_again(&mut scene.node).await;
    }
    scene.the_bus_has_all().await;
}

#[tokio::test]
async fn a_replay_by_hand_publishes_again_what_jetstream_no_longer_knows() {
    let scene = Scene::begin_with("replay", "[nats]\nduplicate_window_s = 1\n").await;
    // A purge is the operator's own will, and is not undone.
    let bus = Bus::listen(&scene.client.at.nats).await;
    for stream in ["WALLET", "GAME", "PLAYER"] {
        let stream = bus.jetstream().get_stream(stream).await.unwrap();
        stream.purge().await.unwrap();
    }
    // What is tested is that the window is over.
    tokio::time::sleep(std::time::Duration::from_millis(2500)).await;
    let config = scene.node.config.clone();
    let replay = ["bus", "replay", "--config", config.to_str().unwrap()];
    let told = done(&[&replay[..], &["--since", "2100-01-01T00:00:00Z"]].concat()).await;
    assert!(told.contains("nothing"), "{told}");
    let told = done(&replay).await;
    assert!(
        told.starts_with("sandbox: ") && told.ends_with("by the server that is running"),
        "{told}"
    );
    scene.the_bus_has_all().await;
}

fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}
