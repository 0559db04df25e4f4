//! What the HTTP edges ask of the store.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use common::Database;
use pitboss_schema::{Cursor, Idempotent, RoundFilter};
use pitboss_wallet::{Kind, Money, RoundState, SessionKind, Timestamp, TransactionState};
use play::{Player, eur, policy};
use uuid::Uuid;

#[tokio::test]
async fn transactions_are_listed_from_both_ends() {
    let database = Database::new("transactions").await;
    let mut player = Player::seated(&database.store, "alice", policy()).await;
    for n in 0..5 {
        player.bet(&format!("b-{n}"), 10 + n).await;
    }
    player.rollback("rb", "b-1").await;
    player.rollback("rb-ghost", "ghost").await;
    let alice = &player.state.id;
    let page = async |cursor, limit| {
        let rows = database
            .store
            .transactions(alice, cursor, limit)
            .await
            .unwrap();
        rows.iter().map(|row| row.number).collect::<Vec<_>>()
    };
    assert_eq!(page(Cursor::Newest, 3).await, [10, 9, 8]);
    assert_eq!(page(Cursor::Before(8), 2).await, [7, 6]);
    assert_eq!(page(Cursor::After(8), 9).await, [9, 10]);
    let rows = database
        .store
        .transactions(alice, Cursor::After(0), 100)
        .await
        .unwrap();
    assert_eq!(rows[0].kind, Kind::Deposit);
    assert_eq!(rows[0].amount, Some(Money::new(1_000, eur())));
    let (bet, rollback) = (&rows[2], &rows[6]);
    assert_eq!(bet.external_id.as_str(), "b-1");
    assert_eq!(bet.round.as_ref().unwrap().as_str(), "round of b-1");
    assert_eq!(bet.reversed_by, Some(rollback.id));
    assert_eq!(rollback.reverses, Some(bet.id));
    assert_eq!(rollback.receipt.transaction, rollback.id);
    assert_eq!(
        bet.created_at,
        Timestamp::from_micros(4_000_000_000_000_000)
    );
    assert_eq!(rows[8].state, TransactionState::Tombstone);
    assert_eq!(rows[8].amount, None);
}

#[tokio::test]
async fn rounds_are_listed_newest_first_by_state() {
    let database = Database::new("rounds").await;
    let mut player = Player::seated(&database.store, "alice", policy()).await;
    for n in 0..4 {
        player.bet(&format!("b-{n}"), 10).await;
    }
    player.close("round of b-1").await;
    let list = async |filter, before, limit| {
        let rows = database
            .store
            .rounds(&player.state.id, filter, before, limit)
            .await;
        let rows = rows.unwrap();
        rows.into_iter()
            .map(|row| (row.number, row.round.as_str().to_owned(), row.state))
            .collect::<Vec<_>>()
    };
    let row = |n: i64, state| (n + 2, format!("round of b-{n}"), state);
    use RoundState::{Closed, Open};
    let all = list(RoundFilter::All, None, 3).await;
    assert_eq!(all, [row(3, Open), row(2, Open), row(1, Closed)]);
    let rest = list(RoundFilter::All, Some(3), 3).await;
    assert_eq!(rest, [row(0, Open)]);
    let open = list(RoundFilter::Open, None, 9).await;
    assert_eq!(open, [row(3, Open), row(2, Open), row(0, Open)]);
    let ended = list(RoundFilter::Ended, None, 9).await;
    assert_eq!(ended, [row(1, Closed)]);
}

#[tokio::test]
async fn a_session_is_found_by_the_hash_of_its_token() {
    let database = Database::new("sessions").await;
    let player = Player::seated(&database.store, "alice", policy()).await;
    let found = database.store.session_by_token(&player.token_hash).await;
    let (id, session) = found.unwrap().unwrap();
    assert_eq!(id, player.state.id);
    assert_eq!(session.kind, SessionKind::Game);
    assert_eq!(Some(&session), player.state.session(player.session));
    let none = database.store.session_by_token(&[9; 32]).await.unwrap();
    assert!(none.is_none());
}

#[tokio::test]
async fn the_first_answer_under_an_idempotency_key_stands() {
    let database = Database::new("idempotency").await;
    let store = &database.store;
    let owner = Uuid::from_u128(1);
    let keep = async |hash: &[u8], body: &[u8]| {
        let kept = store.keep_idempotent_answer(owner, "key", hash, 201, body);
        kept.await.unwrap()
    };
    assert_eq!(keep(b"h1", b"one").await, Idempotent::Kept);
    let Idempotent::Before(before) = keep(b"h2", b"two").await else {
        panic!("a second answer was kept");
    };
    assert_eq!(
        (before.request_hash.as_slice(), before.body.as_slice()),
        (&b"h1"[..], &b"one"[..])
    );
    assert_eq!(before.status, 201);
    let other = store
        .idempotent_answer(Uuid::from_u128(2), "key")
        .await
        .unwrap();
    assert!(other.is_none(), "another operator's key");
    assert_eq!(
        store
            .forget_idempotent_answers(before.created_at)
            .await
            .unwrap(),
        0
    );
    let later = before.created_at.plus_seconds(1);
    assert_eq!(store.forget_idempotent_answers(later).await.unwrap(), 1);
}
