//! Events on NATS: what happened, told to every other service of the casino.

use std::collections::HashSet;

use crate::support::{
    bus::Bus,
    client::NatsLogin,
    player::{EVENTS, Player},
    sandbox::{secret, shared, shared_data},
    stream::Stream,
};

#[tokio::test]
async fn every_event_arrives_once_in_order_as_on_the_stream_under_its_own_subject() {
    let client = shared().await;
    let mut bus = Bus::listen(&client.at.nats).await;
    let player = Player::with(&client, "100.00").await;
    let mut stream = Stream::open(&client, &player.token, "?after=0")
        .await
        .unwrap();
    for index in 0..10 {
        let id = format!("b{index}");
        client.callback("bet", &player.bet(&id, "1.00")).await.ok();
        client.callback("bet", &player.bet(&id, "1.00")).await.ok();
        client
            .callback("win", &player.win(&id, &id, "0.50"))
            .await
            .ok();
    }
    client
        .callback("close_round", &player.close("b0"))
        .await
        .ok();
    // Ten times round, bet and win; then the close.
    let last = EVENTS + 30 + 1;
    let heard = bus.until(&player.id, last).await;
    let seqs: Vec<i64> = heard.iter().map(crate::support::bus::Heard::seq).collect();
    assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
    let shown = stream.until(last).await;
    for (heard, shown) in heard.iter().zip(&shown) {
        assert_eq!(heard.event, *shown);
        assert_eq!(heard.subject, heard.event["type"]);
        assert_eq!(heard.message_id, heard.event["id"]);
        assert!(
            ["wallet", "game", "player"].contains(&heard.subject.split('.').next().unwrap()),
            "{}",
            heard.subject
        );
    }
    let ids: HashSet<_> = heard.iter().map(|heard| &heard.message_id).collect();
    assert_eq!(ids.len(), heard.len());
}

#[tokio::test]
async fn jetstream_keeps_each_event_once_in_the_stream_of_its_family() {
    let client = shared().await;
    let mut bus = Bus::listen(&client.at.nats).await;
    let player = Player::with(&client, "100.00").await;
    client.callback("bet", &player.bet("b", "1.00")).await.ok();
    let last = EVENTS + 2;
    bus.until(&player.id, last).await;
    let mut kept = Vec::new();
    for (stream, family) in [
        ("WALLET", "wallet."),
        ("GAME", "game."),
        ("PLAYER", "player."),
    ] {
        let of_player = bus
            .kept(stream)
            .await
            .into_iter()
            .filter(|heard| heard.is_of(&player.id));
        let of_player: Vec<_> = of_player.collect();
        assert!(
            of_player
                .iter()
                .all(|heard| heard.subject.starts_with(family)),
            "{of_player:#?}"
        );
        kept.extend(of_player);
    }
    kept.sort_by_key(crate::support::bus::Heard::seq);
    let seqs: Vec<i64> = kept.iter().map(crate::support::bus::Heard::seq).collect();
    assert_eq!(seqs, (1..=last).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_other_environments_account_hears_nothing_and_no_account_gets_in_with_a_wrong_password()
{
    let client = shared().await;
    let live = NatsLogin {
        url: client.at.nats.url.clone(),
        user: "live".into(),
        password: secret(&shared_data().await, "nats_live_password"),
    };
    let mut elsewhere = Bus::listen(&live).await;
    let mut bus = Bus::listen(&client.at.nats).await;
    let player = Player::with(&client, "100.00").await;
    bus.until(&player.id, 5).await;
    assert_eq!(elsewhere.so_far().await, []);
    assert_eq!(elsewhere.kept("WALLET").await, []);
    let options =
        async_nats::ConnectOptions::with_user_and_password("sandbox".into(), "guess".into());
    assert!(options.connect(&live.url).await.is_err());
    assert!(async_nats::connect(&live.url).await.is_err());
}
