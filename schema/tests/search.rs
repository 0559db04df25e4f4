//! What searches find, against a look at everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use std::collections::{BTreeMap, BTreeSet};

use pitboss_schema::{RoundKeyRow, RoundSearch, TransactionRow, TransactionSearch};
use pitboss_wallet::{Currency, Kind, PlayerId, ProviderId, RoundState, TransactionState};
use play::{
    eur, game, now,
    random::{all, all_rounds, played},
};

#[tokio::test]
async fn every_search_finds_what_a_look_at_all_finds() {
    let (database, players) = played("search", 31).await;
    let store = &database.store;
    let client = database.client().await;
    let rows = all(store, &TransactionSearch::default(), 1_000, 1_000).await;
    let there: i64 = client
        .query_one("SELECT count(*) FROM ledger", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(i64::try_from(rows.len()).unwrap(), there);
    assert!(rows.windows(2).all(|pair| pair[0].id > pair[1].id));
    let demo = ProviderId::new("demo").unwrap();
    let middle = rows[rows.len() / 2].created_at;
    let usd = Currency::from_code("USD").unwrap();
    let none = TransactionSearch::default;
    let searches = [
        TransactionSearch {
            provider: Some(demo.clone()),
            ..none()
        },
        TransactionSearch {
            provider: Some(ProviderId::new("nobody").unwrap()),
            ..none()
        },
        TransactionSearch {
            game: Some(game()),
            kind: Some(Kind::Win),
            ..none()
        },
        TransactionSearch {
            kind: Some(Kind::VoidRound),
            ..none()
        },
        TransactionSearch {
            state: Some(TransactionState::Tombstone),
            ..none()
        },
        TransactionSearch {
            currency: Some(usd),
            ..none()
        },
        TransactionSearch {
            currency: Some(eur()),
            least: Some(20),
            most: Some(45),
            ..none()
        },
        TransactionSearch {
            from: Some(middle),
            ..none()
        },
        TransactionSearch {
            to: Some(middle),
            ..none()
        },
        TransactionSearch {
            from: Some(middle),
            to: Some(middle.plus_seconds(60)),
            kind: Some(Kind::Bet),
            ..none()
        },
    ];
    for search in searches {
        let expected: Vec<_> = rows
            .iter()
            .filter(|row| search.has(row))
            .map(|row| row.id)
            .collect();
        for (limit, scan) in [(3, 3), (2, 40), (1_000, 1_000)] {
            let found = all(store, &search, limit, scan).await;
            let found: Vec<_> = found.iter().map(|row| row.id).collect();
            assert_eq!(found, expected, "{search:?} {limit} {scan}");
        }
        for player in &players {
            let id = &player.state.id;
            let expected: Vec<_> = rows
                .iter()
                .filter(|row| row.player == *id && search.has(row))
                .map(|row| row.number)
                .collect();
            let mut found = Vec::new();
            let mut before = None;
            loop {
                let page = store
                    .search_player(id, &search, before, 2, 5)
                    .await
                    .unwrap()
                    .unwrap();
                found.extend(page.rows.iter().map(|row| row.number));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(found, expected, "{id} {search:?}");
        }
    }
    let nobody = PlayerId::new("nobody").unwrap();
    assert_eq!(
        store
            .search_player(&nobody, &none(), None, 5, 5)
            .await
            .unwrap(),
        None
    );
    for row in &rows {
        assert_eq!(store.transaction(row.id).await.unwrap().as_ref(), Some(row));
        let by_key = store
            .transactions_by_key(
                &row.provider,
                &row.external_id,
                Some(&row.player),
                Some(row.kind),
            )
            .await;
        assert_eq!(by_key.unwrap(), std::slice::from_ref(row));
    }
    // Bob's ids belong to the whole provider account, alice's do not.
    let find = async |id: &str| {
        let id = play::external(id);
        store
            .transactions_by_key(&demo, &id, None, None)
            .await
            .unwrap()
            .len()
    };
    assert_eq!((find("bob b-1").await, find("alice b-1").await), (1, 0));
}

#[tokio::test]
async fn a_round_shows_all_that_happened_in_it() {
    let (database, players) = played("rounds_of_all", 12).await;
    let store = &database.store;
    let rows = all(store, &TransactionSearch::default(), 1_000, 1_000).await;
    let rounds = all_rounds(store).await;
    let client = database.client().await;
    let there: i64 = client
        .query_one("SELECT count(*) FROM round", &[])
        .await
        .unwrap()
        .get(0);
    assert_eq!(i64::try_from(rounds.len()).unwrap(), there);
    let mut states = BTreeSet::new();
    for round in &rounds {
        states.insert(round.state.as_str());
        let key = RoundKeyRow {
            player: round.player.clone(),
            provider: round.provider.clone(),
            scope: round.scope.clone(),
            round: round.round.clone(),
        };
        assert_eq!(store.round(&key).await.unwrap().as_ref(), Some(round));
        let found = store
            .round_transactions(&key, i64::MAX, 1_000)
            .await
            .unwrap();
        let expected: Vec<_> = rows
            .iter()
            .filter(|row| row.player == key.player && row.round.as_ref() == Some(&key.round))
            // What found its target taken back by a void is in no round's books.
            .filter(|row| row.kind != Kind::Rollback || row.reverses.is_some())
            // Nor is a second void.
            .filter(|row| row.kind != Kind::VoidRound || Some(row.created_at) == round.closed_at)
            .cloned()
            .collect();
        assert_eq!(found, expected, "{key:?}");
        let mut paged = Vec::new();
        while let Some(last) = Some(
            paged
                .last()
                .map_or(i64::MAX, |row: &TransactionRow| row.number),
        ) {
            let page = store.round_transactions(&key, last, 2).await.unwrap();
            if page.is_empty() {
                break;
            }
            paged.extend(page);
        }
        assert_eq!(paged, found);
    }
    assert_eq!(states, BTreeSet::from(["closed", "open", "voided"]));
    for player in &players {
        for state in [
            None,
            Some(RoundState::Open),
            Some(RoundState::Closed),
            Some(RoundState::Voided),
        ] {
            let search = RoundSearch {
                state,
                ..RoundSearch::default()
            };
            let mut found = Vec::new();
            let mut before = None;
            loop {
                let page = store
                    .search_player_rounds(&player.state.id, &search, before, 2, 6)
                    .await;
                let page = page.unwrap().unwrap();
                found.extend(page.rows);
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            let expected: Vec<_> = rounds
                .iter()
                .filter(|round| {
                    round.player == player.state.id
                        && state.is_none_or(|state| round.state == state)
                })
                .cloned()
                .collect();
            assert_eq!(found, expected);
        }
    }
    // Open ones, oldest first.
    let late = now().plus_seconds(86_400);
    let open = store
        .unfinished_rounds(late, None, None, None, 1_000)
        .await
        .unwrap();
    let held: i128 = open
        .iter()
        .filter(|round| round.currency == eur())
        .map(|round| i128::from(round.stake))
        .sum();
    assert!(open.iter().all(|round| round.state.is_open()));
    assert_eq!(
        open.len(),
        rounds.iter().filter(|round| round.state.is_open()).count()
    );
    assert!(
        open.windows(2)
            .all(|pair| pair[0].opened_at <= pair[1].opened_at)
    );
    for (at, age) in [
        (60, "under_1h"),
        (7_200, "under_24h"),
        (90_000, "under_7d"),
        (800_000, "older"),
    ] {
        let ages = store
            .unfinished_ages(now().plus_seconds(at), None, Some(eur()))
            .await
            .unwrap();
        let sum: i128 = ages.iter().map(|line| line.held).sum();
        assert_eq!(sum, held);
        assert!(ages.iter().any(|line| line.age == age), "{ages:?}");
    }
}

#[tokio::test]
async fn an_event_is_found_by_its_transaction_while_it_is_kept() {
    let (database, players) = played("its_events", 3).await;
    let store = &database.store;
    let rows = all(store, &TransactionSearch::default(), 1_000, 1_000).await;
    let told: BTreeMap<String, i64> = {
        let client = database.client().await;
        let sql = "SELECT body::json ->> 'transaction', count(*) FROM event WHERE body::json ->> 'transaction' IS NOT NULL GROUP BY 1";
        let counted = client.query(sql, &[]).await.unwrap();
        counted.iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    assert!(players.len() == 3 && told.len() > 50);
    for row in &rows {
        let events = store
            .transaction_events(&row.player, row.id, row.created_at)
            .await
            .unwrap();
        let expected = told.get(&row.id.to_string()).copied().unwrap_or(0);
        // Alice and bob live in one moment: of that so many decisions are looked through, which is all of theirs.
        assert_eq!(i64::try_from(events.len()).unwrap(), expected, "{row:?}");
    }
    database
        .client()
        .await
        .batch_execute("DELETE FROM outbox")
        .await
        .unwrap();
    let gone = store
        .transaction_events(&rows[0].player, rows[0].id, rows[0].created_at)
        .await;
    assert_eq!(gone.unwrap(), []);
}
