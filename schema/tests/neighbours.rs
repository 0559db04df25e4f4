//! Two servers on one database: each finds out what the other committed, and never takes its own for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use common::Database;
use pitboss_schema::{Neighbours, Store, StoreOptions};
use pitboss_wallet::Timestamp;
use play::{Player, policy};

#[tokio::test]
async fn what_another_server_commits_is_found_once_and_ones_own_never() {
    let database = Database::new("neighbours").await;
    let here = database.store.clone();
    let there = Store::connect(&database.url, StoreOptions::default()).unwrap();
    let mut before = Player::seated(&there, "early", policy()).await;
    let mut neighbours = Neighbours::of(here.clone());
    // Where the lanes are when it begins is no news.
    assert_eq!(neighbours.look(|| true).await.unwrap(), []);

    let mut mine = Player::seated(&here, "mine", policy()).await;
    assert_eq!(neighbours.look(|| true).await.unwrap(), []);
    let mut other = Player::seated(&there, "other", policy()).await;
    // In turns, in whatever lanes they are.
    for round in 0..20 {
        mine.bet(&format!("m{round}"), 1).await;
        other.bet(&format!("o{round}"), 1).await;
        if round % 3 == 0 {
            before.bet(&format!("e{round}"), 1).await;
        }
    }
    let expected =
        [&before, &other].map(|player| (player.state.id.clone(), player.state.last_event));
    let mut found = neighbours.look(|| true).await.unwrap();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(neighbours.look(|| true).await.unwrap(), []);

    // Nobody wants to know: it is not read, and not told later.
    other.bet("unheard", 1).await;
    assert_eq!(neighbours.look(|| false).await.unwrap(), []);
    assert_eq!(
        neighbours
            .look(|| panic!("asked for nothing"))
            .await
            .unwrap(),
        []
    );
    mine.bet("own", 1).await;
    assert_eq!(
        neighbours
            .look(|| panic!("asked for ones own"))
            .await
            .unwrap(),
        []
    );
}

#[tokio::test]
async fn sessions_that_are_over_are_found() {
    let database = Database::new("ended_sessions").await;
    let (one, two) = (
        Player::seated(&database.store, "one", policy()).await,
        Player::seated(&database.store, "two", policy()).await,
    );
    let all = [&one, &two].map(|player| (player.state.id.clone(), player.session));
    let ended = async |now| database.store.ended_sessions(&all, now).await.unwrap();
    let now = one.state.sessions[0].expires_at.plus_seconds(-1);
    assert_eq!(ended(now).await, []);
    let client = database.client().await;
    client
        .execute(
            "UPDATE session SET ended_at = now(), end_reason = 'ended' WHERE player_id = 'two'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(ended(now).await, [two.session]);
    let mut over = ended(Timestamp::from_micros(now.as_micros() + 1_000_000)).await;
    over.sort_by_key(|session| *session != one.session);
    assert_eq!(over, [one.session, two.session]);
    // Somebody else's session is not his.
    let crossed = [(one.state.id.clone(), two.session)];
    assert_eq!(
        database.store.ended_sessions(&crossed, now).await.unwrap(),
        []
    );
}
