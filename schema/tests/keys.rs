//! Operator keys: found by their secrets, changed by nobody who does not know the last change.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Database;
use pitboss_schema::{
    AuditAction, AuditActor, AuditFilter, AuditNote, KeyChange, KeyMade, NewKey, Rate, Store,
};
use pitboss_wallet::Timestamp;
use serde_json::json;
use uuid::Uuid;

const NOW: Timestamp = Timestamp::from_micros(1_800_000_000_000_000);

fn key(id: u128) -> NewKey {
    NewKey {
        id: Uuid::from_u128(id),
        prefix: format!("sk_test_{id}"),
        hash: [u8::try_from(id).unwrap(); 32],
        name: format!("key {id}"),
        person: "ann".into(),
        issuers: vec!["bob".into()],
        scopes: vec!["players:read".into()],
        allowed: vec!["10.0.0.0/8".into()],
        rate: Some(Rate {
            per_s: 5,
            burst: 10,
        }),
        expires_at: Some(NOW.plus_seconds(60)),
        created_at: NOW,
    }
}

fn note(id: u128, action: AuditAction) -> AuditNote {
    AuditNote {
        id: Uuid::from_u128(id),
        at: NOW,
        action,
        actor: AuditActor {
            kind: "command_line",
            id: String::new(),
            person: None,
            address: None,
        },
        subject: "key/x".into(),
        detail: json!({}),
    }
}

async fn entries(store: &Store) -> usize {
    let all = AuditFilter::default();
    store.audit_entries(&all, None, 100).await.unwrap().len()
}

#[tokio::test]
async fn a_key_is_found_by_its_secret_and_by_the_one_before_and_after_it_is_revoked() {
    let database = Database::new("keys").await;
    let store = &database.store;
    let first = key(1);
    let create = async |key: &NewKey, most, id| {
        let note = note(id, AuditAction::KeyCreated);
        store.create_operator_key(key, most, &note).await.unwrap()
    };
    assert_eq!(create(&first, 1, 1).await, KeyMade::Made);
    // There, or too many: nothing is written, in the log neither.
    assert_eq!(create(&first, 9, 2).await, KeyMade::Refused);
    assert_eq!(create(&key(2), 1, 2).await, KeyMade::Refused);
    // One that has expired does not count.
    let later = NewKey {
        created_at: NOW.plus_seconds(60),
        ..key(2)
    };
    assert_eq!(create(&later, 1, 2).await, KeyMade::Made);
    assert_eq!(entries(store).await, 2);

    let found = store.operator_key(&[1; 32]).await.unwrap().unwrap();
    assert_eq!((found.id, found.prefix.as_str()), (first.id, "sk_test_1"));
    assert_eq!(
        (&found.issuers, &found.allowed),
        (&first.issuers, &first.allowed)
    );
    assert_eq!(
        (found.rate, found.expires_at),
        (first.rate, first.expires_at)
    );
    assert!(!found.is_old && found.last_used_at.is_none());

    let rotate = async |version, hash: u8, until, id| {
        let note = note(id, AuditAction::KeyRotated);
        let at = (first.id, version);
        let new = ("sk_test_n", &[hash; 32]);
        store
            .rotate_operator_key(at, new, &[], until, &note)
            .await
            .unwrap()
    };
    assert!(rotate(0, 7, Some(NOW), 3).await);
    assert!(
        !rotate(0, 8, None, 4).await,
        "decided on what is no longer so"
    );
    let (new, old) = (
        store.operator_key(&[7; 32]).await.unwrap().unwrap(),
        store.operator_key(&[1; 32]).await.unwrap().unwrap(),
    );
    assert_eq!(
        (new.id, old.id, new.is_old, old.is_old),
        (first.id, first.id, false, true)
    );
    assert_eq!(new.old, Some(("sk_test_1".into(), NOW)));
    assert!(rotate(1, 9, None, 5).await);
    assert!(store.operator_key(&[7; 32]).await.unwrap().is_none());
    assert!(store.operator_key(&[1; 32]).await.unwrap().is_none());

    store
        .touch_operator_key(first.id, NOW, "192.0.2.1")
        .await
        .unwrap();
    let soon = NOW.plus_seconds(59);
    store
        .touch_operator_key(first.id, soon, "192.0.2.2")
        .await
        .unwrap();
    let revoke = async |by, id| {
        let note = note(id, AuditAction::KeyRevoked);
        store
            .revoke_operator_key(first.id, NOW, by, &note)
            .await
            .unwrap()
    };
    assert!(!revoke(Some(Uuid::from_u128(77)), 6).await, "by nobody");
    assert!(revoke(Some(later.id), 6).await);
    assert!(!revoke(None, 7).await, "again");
    let row = store.operator_key_by_id(first.id).await.unwrap().unwrap();
    assert_eq!(row.revoked_at, Some(NOW));
    assert_eq!(row.last_used_at, Some(NOW));
    assert_eq!(row.last_used_address.as_deref(), Some("192.0.2.1"));
    assert!(
        store
            .operator_key(&[9; 32])
            .await
            .unwrap()
            .unwrap()
            .revoked_at
            .is_some()
    );
    // A revoked key neither changes nor revokes.
    assert!(!rotate(row.version, 8, None, 8).await);
    let note_of_other = note(9, AuditAction::KeyRevoked);
    let by = Some(first.id);
    let revoked = store
        .revoke_operator_key(later.id, NOW, by, &note_of_other)
        .await;
    assert!(!revoked.unwrap());
    assert_eq!(entries(store).await, 5);

    let page = async |after, limit| {
        let rows = store.operator_keys(after, limit).await.unwrap();
        rows.iter().map(|row| row.id.as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(page(None, 1).await, [2]);
    assert_eq!(page(Some(later.id), 9).await, [1]);
}

#[tokio::test]
async fn a_change_names_the_version_that_it_was_decided_on() {
    let database = Database::new("key_change").await;
    let store = &database.store;
    let first = key(1);
    let made = note(1, AuditAction::KeyCreated);
    store.create_operator_key(&first, 9, &made).await.unwrap();
    let change = |name: &str| KeyChange {
        name: name.into(),
        scopes: vec!["*".into()],
        allowed: vec![],
        rate: None,
        expires_at: None,
    };
    let apply = async |version, name, id| {
        let note = note(id, AuditAction::KeyChanged);
        let change = change(name);
        store
            .change_operator_key(first.id, version, &change, &note)
            .await
            .unwrap()
    };
    assert!(apply(0, "one", 2).await);
    assert!(!apply(0, "two", 3).await);
    let row = store.operator_key_by_id(first.id).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.version), ("one", 1));
    assert_eq!(
        (row.allowed, row.rate, row.expires_at),
        (vec![], None, None)
    );
    assert_eq!(entries(store).await, 2);
}

#[tokio::test]
async fn two_keys_cannot_revoke_each_other() {
    let database = Database::new("key_duel").await;
    let store = &database.store;
    for id in [1, 2] {
        let made = note(id, AuditAction::KeyCreated);
        store.create_operator_key(&key(id), 9, &made).await.unwrap();
    }
    let revoke = |id: u128, by: u128| {
        let store = store.clone();
        async move {
            let note = note(10 + id, AuditAction::KeyRevoked);
            let by = Some(Uuid::from_u128(by));
            let revoked = store.revoke_operator_key(Uuid::from_u128(id), NOW, by, &note);
            revoked.await
        }
    };
    // One of them may be told to try again: Postgres ends one of two that wait for each other.
    let (one, other) = tokio::join!(revoke(1, 2), revoke(2, 1));
    let revoked = [one, other]
        .into_iter()
        .filter(|r| matches!(r, Ok(true)))
        .count();
    assert_eq!(revoked, 1);
}
