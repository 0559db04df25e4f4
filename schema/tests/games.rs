//! The catalogue: what is put is read, what changed is found by its number, and blocks hold until they are lifted.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Database;
use pitboss_schema::{
    AuditAction, AuditActor, AuditNote, BlockScope, Blocked, Game, GameBlockRow, GamesChange,
    GamingRow, NewProvider, Profile, ProviderSettings, Store,
};
use pitboss_wallet::{PlayerId, Policy, ProviderId, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

async fn with_provider(name: &str) -> Database {
    let database = Database::new(name).await;
    let provider = NewProvider {
        id: ProviderId::new("demo").unwrap(),
        dialect: "native".to_owned(),
        name: "Demo".to_owned(),
        policy: Policy::default(),
        settings: ProviderSettings::new(),
        secret: vec![1],
        allowed_addresses: Vec::new(),
        callback_log: None,
    };
    let note = common::note(AuditAction::ProviderCreated, "provider/demo");
    let made = database.store.create_provider(&provider, 1, &note).await;
    made.unwrap();
    database
}

fn game(id: &str, more: Value) -> Game {
    let mut whole = json!({ "id": id, "provider": "demo", "name": "A Game", "category": "slot" });
    whole
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn note(number: u128, action: AuditAction) -> AuditNote {
    AuditNote {
        id: Uuid::from_u128(number),
        at: NOW,
        action,
        actor: AuditActor {
            kind: "server",
            id: "test".to_owned(),
            person: None,
            address: None,
        },
        subject: "test".to_owned(),
        detail: json!({}),
    }
}

async fn put(store: &Store, games: Vec<Game>, notes: Vec<AuditNote>) {
    let ids: Vec<String> = games
        .iter()
        .map(|game| game.id.as_str().to_owned())
        .collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let plan = |_| Ok::<_, ()>((GamesChange { put: games, notes }, ()));
    store.change_games(&ids, NOW, plan).await.unwrap().unwrap();
}

fn full(id: &str) -> Game {
    game(
        id,
        json!({
            "tags": ["a", "b"], "rtp": "96.5", "volatility": "high", "currencies": ["EUR", "BTC"],
            "limits": [{ "currency": "EUR", "min": "0.10", "max": null }], "devices": ["mobile"],
            "languages": ["pt-BR"], "countries": { "allow": ["SE"], "deny": [] }, "demo": true,
            "jackpots": ["mega"], "version": "1.2", "checksum": "a".repeat(64),
            "launch_url": "https://g.example/{token}?m={mode}", "image": "/a.png", "sort_weight": -7,
            "enabled": false, "finish_open_round": false, "session_limit_s": 60, "max_sessions": 2,
        }),
    )
}

#[tokio::test]
async fn a_game_is_read_as_it_was_put_in_every_field() {
    let database = with_provider("games").await;
    let store = &database.store;
    let (full, bare) = (full("full"), game("bare", json!({})));
    put(store, vec![full.clone(), bare.clone()], vec![]).await;
    for game in [&full, &bare] {
        let row = store.game(&game.id).await.unwrap().unwrap();
        assert_eq!(
            (&row.game, row.created_at, row.updated_at),
            (game, NOW, NOW)
        );
    }
    // Again, the other way round: every column is replaced.
    let swapped = [
        Game {
            id: bare.id.clone(),
            ..full.clone()
        },
        Game {
            id: full.id.clone(),
            ..bare.clone()
        },
    ];
    put(store, swapped.to_vec(), vec![]).await;
    for game in &swapped {
        assert_eq!(store.game(&game.id).await.unwrap().unwrap().game, *game);
    }
}

#[tokio::test]
async fn what_changed_is_found_by_the_number_of_the_change_whoever_changed_it() {
    let database = with_provider("games_changed").await;
    let store = &database.store;
    put(
        store,
        vec![game("a", json!({})), game("b", json!({}))],
        vec![],
    )
    .await;
    let changed = async |since| {
        let rows = store.games_changed(since).await.unwrap();
        let mut ids: Vec<String> = rows
            .iter()
            .map(|row| row.game.id.as_str().to_owned())
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(changed(-1).await, ["a", "b"]);
    let first = store.catalogue_version().await.unwrap();
    assert!(changed(first).await.is_empty());
    // By hand, in one transaction: one number for both.
    let client = database.client().await;
    client
        .batch_execute("BEGIN; UPDATE game SET name = 'x'; UPDATE gaming SET reason = 'y'; COMMIT")
        .await
        .unwrap();
    assert_eq!(store.catalogue_version().await.unwrap(), first + 1);
    assert_eq!(changed(first).await, ["a", "b"]);
}

/// The numbers are in the order of the commits: whoever has read one has missed none before it.
#[tokio::test]
async fn a_change_waits_for_the_one_before_it() {
    let database = with_provider("games_order").await;
    let store = database.store.clone();
    put(
        &store,
        vec![game("a", json!({})), game("b", json!({}))],
        vec![],
    )
    .await;
    let before = store.catalogue_version().await.unwrap();
    let client = database.client().await;
    client
        .batch_execute("BEGIN; UPDATE game SET name = 'x' WHERE id = 'a'")
        .await
        .unwrap();
    let later = tokio::spawn({
        let store = store.clone();
        async move { put(&store, vec![game("b", json!({ "demo": true }))], vec![]).await }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let watcher = database.client().await;
    while watcher
        .query_one(waits, &[])
        .await
        .unwrap()
        .get::<_, i64>(0)
        == 0
    {
        tokio::task::yield_now().await;
    }
    assert_eq!(store.catalogue_version().await.unwrap(), before);
    client.batch_execute("COMMIT").await.unwrap();
    later.await.unwrap();
    assert_eq!(store.catalogue_version().await.unwrap(), before + 2);
}

#[tokio::test]
async fn an_error_of_the_plan_writes_nothing_and_a_change_has_its_entries() {
    let database = with_provider("games_plan").await;
    let store = &database.store;
    let refused = store.change_games(&["a"], NOW, |now| {
        assert!(now.games.is_empty() && now.count == 0 && now.providers.len() == 1);
        Err::<(GamesChange, ()), _>("no")
    });
    assert_eq!(refused.await.unwrap(), Err("no"));
    let notes = vec![
        note(1, AuditAction::GameCreated),
        note(2, AuditAction::GameImported),
    ];
    put(store, vec![game("a", json!({}))], notes).await;
    let client = database.client().await;
    let entries = client
        .query(
            "SELECT action FROM audit_entry WHERE action LIKE 'game.%' ORDER BY number",
            &[],
        )
        .await
        .unwrap();
    let actions: Vec<&str> = entries.iter().map(|row| row.get(0)).collect();
    assert_eq!(actions, ["game.created", "game.imported"]);
    // A provider that is not there: all or nothing.
    let stranger = Game {
        provider: ProviderId::new("nobody").unwrap(),
        ..game("c", json!({}))
    };
    let both = GamesChange {
        put: vec![game("b", json!({})), stranger],
        notes: vec![],
    };
    let plan = |_| Ok::<_, ()>((both, ()));
    assert!(store.change_games(&["b", "c"], NOW, plan).await.is_err());
    assert_eq!(store.games_changed(-1).await.unwrap().len(), 1);
}

#[tokio::test]
async fn gaming_is_on_until_it_is_stopped() {
    let database = Database::new("gaming").await;
    let store = &database.store;
    assert!(store.gaming().await.unwrap().enabled);
    let before = store.catalogue_version().await.unwrap();
    let stop = GamingRow {
        enabled: false,
        finish_open_round: false,
        reason: "drill".to_owned(),
        changed_at: NOW,
    };
    let stopped = store
        .put_gaming(&stop, &note(1, AuditAction::GamingStopped))
        .await
        .unwrap();
    assert_eq!((&stopped, &store.gaming().await.unwrap()), (&stop, &stop));
    assert_eq!(store.catalogue_version().await.unwrap(), before + 1);
}

#[tokio::test]
async fn a_block_holds_until_it_is_lifted_and_its_end_is_found_too() {
    let database = Database::new("game_blocks").await;
    let store = &database.store;
    let player = PlayerId::new("alice").unwrap();
    let block = |id: u128, target: &str, reason: &str| GameBlockRow {
        player: player.clone(),
        id: Uuid::from_u128(id),
        scope: BlockScope::Game,
        target: target.to_owned(),
        reason: reason.to_owned(),
        finish_open_round: true,
        person: "p".to_owned(),
        created_at: NOW,
        removed_at: None,
    };
    let put = async |row: &GameBlockRow| {
        let note = note(row.id.as_u128(), AuditAction::GameBlocked);
        store.put_game_block(row, 2, &note).await.unwrap()
    };
    let first = block(1, "dice", "why");
    assert_eq!(put(&first).await, Blocked::UnknownPlayer);
    store
        .create_player(&player, &Profile::default())
        .await
        .unwrap();
    assert_eq!(put(&first).await, Blocked::New(first.clone()));
    let again = GameBlockRow {
        reason: "other".to_owned(),
        ..first.clone()
    };
    assert_eq!(
        put(&block(2, "dice", "other")).await,
        Blocked::Known(again.clone())
    );
    let second = block(3, "slot", "why");
    assert_eq!(put(&second).await, Blocked::New(second.clone()));
    assert_eq!(put(&block(4, "crash", "why")).await, Blocked::TooMany);
    assert_eq!(
        store.game_blocks(&player).await.unwrap(),
        [again.clone(), second.clone()]
    );
    let version = store.catalogue_version().await.unwrap();
    let lift = async |id| {
        let note = note(100 + id, AuditAction::GameUnblocked);
        store
            .remove_game_block(&player, Uuid::from_u128(id), NOW, &note)
            .await
            .unwrap()
    };
    assert!(lift(1).await && !lift(1).await && !lift(9).await);
    assert_eq!(store.game_blocks(&player).await.unwrap(), [second]);
    let lifted = GameBlockRow {
        removed_at: Some(NOW),
        ..again
    };
    assert_eq!(store.game_blocks_changed(version).await.unwrap(), [lifted]);
    // The same again is a new one.
    assert_eq!(
        put(&block(5, "dice", "why")).await,
        Blocked::New(block(5, "dice", "why"))
    );
    let client = database.client().await;
    let entries: i64 = client
        .query_one("SELECT count(*) FROM audit_entry", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(entries, 5, "one for each change, none for what was refused");
}

#[tokio::test]
async fn there_are_no_more_collections_than_allowed() {
    let database = Database::new("collections").await;
    let store = &database.store;
    let put = async |id: &str, document: &str, number| {
        let note = note(number, AuditAction::CollectionChanged);
        store
            .put_collection(id, document, NOW, 2, &note)
            .await
            .unwrap()
            .map(|(row, is_new)| (row.document, is_new))
    };
    assert_eq!(put("a", "1", 1).await, Some(("1".to_owned(), true)));
    assert!(put("b", "2", 2).await.is_some());
    assert_eq!(put("c", "3", 3).await, None);
    assert!(
        put("a", "4", 4)
            .await
            .is_some_and(|(document, _)| document == "4")
    );
    let version = store.catalogue_version().await.unwrap();
    let gone = note(5, AuditAction::CollectionRemoved);
    assert!(store.delete_collection("a", &gone).await.unwrap());
    assert!(
        !store
            .delete_collection("a", &note(6, AuditAction::CollectionRemoved))
            .await
            .unwrap()
    );
    assert_eq!(store.catalogue_version().await.unwrap(), version + 1);
    let rows = store.collections().await.unwrap();
    assert_eq!(
        rows.iter()
            .map(|row| row.document.as_str())
            .collect::<Vec<_>>(),
        ["2"]
    );
}
