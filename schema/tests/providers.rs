//! Provider accounts and the log of their callbacks, as they are kept.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Database, note};
use pitboss_schema::{
    AuditAction, CallbackFilter, CallbackLogMode, CallbackPageOf, CallbackPosition, LoggedCallback,
    NewCallback, NewProvider, ProviderChange, ProviderRow, ProviderSettings, ProviderStatus, Store,
};
use pitboss_wallet::{LateWin, Policy, ProviderId, Timestamp};

fn id(text: &str) -> ProviderId {
    ProviderId::new(text).unwrap()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_760_000_000_000_000).plus_seconds(seconds)
}

async fn made(store: &Store, name: &str) -> Option<ProviderRow> {
    let new = NewProvider {
        id: id(name),
        dialect: "native".to_owned(),
        name: "Acme".to_owned(),
        policy: Policy {
            auto_close_after_s: Some(60),
            ..Policy::default()
        },
        settings: ProviderSettings::from([("header".to_owned(), "X-Sign".to_owned())]),
        secret: vec![1, 2, 3],
        allowed_addresses: vec!["192.0.2.0/24".to_owned()],
        callback_log: Some(CallbackLogMode::Failures),
    };
    let note = note(AuditAction::ProviderCreated, name);
    store.create_provider(&new, 3, &note).await.unwrap()
}

fn change(row: &ProviderRow) -> ProviderChange {
    ProviderChange {
        id: row.id.clone(),
        revision: row.revision,
        name: row.name.clone(),
        policy: row.policy.clone(),
        settings: row.settings.clone(),
        status: row.status,
        allowed_addresses: row.allowed_addresses.clone(),
        callback_log: row.callback_log,
        needs_unused: false,
        needs_settled: false,
    }
}

/// What the audit log says was done, in order.
async fn noted(database: &Database) -> Vec<String> {
    let client = database.client().await;
    let sql = "SELECT action FROM audit_entry ORDER BY number";
    let rows = client.query(sql, &[]).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn an_account_is_made_once_and_not_more_of_them_than_allowed() {
    let database = Database::new("accounts").await;
    let store = &database.store;
    let acme = made(store, "acme").await.unwrap();
    assert_eq!(store.provider(&acme.id).await.unwrap(), Some(acme.clone()));
    assert_eq!(acme.status, ProviderStatus::Active);
    assert_eq!(acme.policy.auto_close_after_s, Some(60));
    assert_eq!(acme.settings["header"], "X-Sign");
    assert_eq!(acme.callback_log, Some(CallbackLogMode::Failures));
    assert_eq!(
        (acme.old_secret.as_ref(), acme.used_at, acme.revision),
        (None, None, 0)
    );
    assert!(made(store, "acme").await.is_none());
    for more in ["beta", "core"] {
        assert!(made(store, more).await.is_some());
    }
    assert!(made(store, "dust").await.is_none());
    let page = store.provider_page(Some(&acme.id), 1).await.unwrap();
    assert_eq!(
        page.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(),
        ["beta"]
    );
    assert_eq!(store.providers().await.unwrap().len(), 3);
    // What was not made has no entry.
    assert_eq!(noted(&database).await, ["provider.created"; 3]);
}

#[tokio::test]
async fn a_change_is_of_the_revision_that_was_read_and_writes_its_entries() {
    let database = Database::new("account_changes").await;
    let store = &database.store;
    let acme = made(store, "acme").await.unwrap();
    let mut to = change(&acme);
    to.policy.late_win = LateWin::Refuse;
    to.status = ProviderStatus::Disabled;
    to.callback_log = None;
    to.allowed_addresses.clear();
    to.settings.clear();
    let notes = [
        note(AuditAction::ProviderChanged, "acme"),
        note(AuditAction::ProviderDisabled, "acme"),
    ];
    let changed = store.change_provider(&to, &notes).await.unwrap().unwrap();
    assert_eq!(changed.policy, to.policy);
    assert_eq!(
        (changed.status, changed.revision),
        (ProviderStatus::Disabled, 1)
    );
    assert!(changed.allowed_addresses.is_empty() && changed.callback_log.is_none());
    assert!(changed.settings.is_empty());
    // Of what was read before, nothing is written any more.
    let late = [note(AuditAction::ProviderChanged, "acme")];
    assert_eq!(store.change_provider(&to, &late).await.unwrap(), None);
    assert_eq!(store.provider(&acme.id).await.unwrap(), Some(changed));
    let done = ["provider.created", "provider.changed", "provider.disabled"];
    assert_eq!(noted(&database).await, done);
}

#[tokio::test]
async fn what_keys_are_made_by_is_fixed_with_the_first_use() {
    let database = Database::new("account_use").await;
    let store = &database.store;
    let acme = made(store, "acme").await.unwrap();
    let mut to = change(&acme);
    to.needs_unused = true;
    let changed = store.change_provider(&to, &[]).await.unwrap().unwrap();
    // Who goes by the revision of before has to look first.
    assert!(!store.mark_provider_used(&acme.id, 0, at(0)).await.unwrap());
    assert!(store.mark_provider_used(&acme.id, 1, at(1)).await.unwrap());
    assert!(store.mark_provider_used(&acme.id, 1, at(2)).await.unwrap());
    let used = store.provider(&acme.id).await.unwrap().unwrap();
    assert_eq!(
        (used.used_at, used.revision),
        (Some(at(1)), changed.revision)
    );
    to.revision = 1;
    assert_eq!(store.change_provider(&to, &[]).await.unwrap(), None);
    to.needs_unused = false;
    assert!(store.change_provider(&to, &[]).await.unwrap().is_some());
}

#[tokio::test]
async fn an_account_with_an_open_round_is_not_closed() {
    let database = Database::new("account_open_round").await;
    let store = &database.store;
    let acme = made(store, "acme").await.unwrap();
    let client = database.client().await;
    store
        .create_player(
            &pitboss_wallet::PlayerId::new("alice").unwrap(),
            &pitboss_schema::Profile::default(),
        )
        .await
        .unwrap();
    let open = "INSERT INTO round (player_id, provider_id, scope_game, round_id, number, game_id, currency, state, is_open,
            stake, won, bets, wins, entries, opened_at, touched_at)
        VALUES ('alice', 'acme', '', 'r', 1, 'dice', 'EUR', 'open', true, 0, 0, 0, 0, '{}', now(), now())";
    client.execute(open, &[]).await.unwrap();
    let mut to = change(&acme);
    to.status = ProviderStatus::Closed;
    to.needs_settled = true;
    assert_eq!(store.change_provider(&to, &[]).await.unwrap(), None);
    let settle = "DELETE FROM round WHERE round_id = 'r'";
    client.execute(settle, &[]).await.unwrap();
    let closed = store.change_provider(&to, &[]).await.unwrap().unwrap();
    assert_eq!(closed.status, ProviderStatus::Closed);
}

#[tokio::test]
async fn two_secrets_are_kept_at_most_and_the_old_one_ends() {
    let database = Database::new("account_secrets").await;
    let store = &database.store;
    let acme = made(store, "acme").await.unwrap();
    let rotated = || note(AuditAction::ProviderSecretRotated, "acme");
    let row = store
        .rotate_provider(&acme.id, &[4], Some(at(60)), &rotated())
        .await
        .unwrap();
    let row = row.unwrap();
    assert_eq!(
        (row.secret, row.old_secret),
        (vec![4], Some((vec![1, 2, 3], at(60))))
    );
    let row = store
        .rotate_provider(&acme.id, &[5], Some(at(90)), &rotated())
        .await
        .unwrap();
    assert_eq!(row.unwrap().old_secret, Some((vec![4], at(90))));
    assert_eq!(store.forget_old_secrets(at(90)).await.unwrap(), 0);
    assert_eq!(store.forget_old_secrets(at(91)).await.unwrap(), 1);
    let row = store
        .rotate_provider(&acme.id, &[6], None, &rotated())
        .await
        .unwrap();
    assert_eq!(row.unwrap().old_secret, None);
    let revoked = || note(AuditAction::ProviderOldSecretRevoked, "acme");
    assert_eq!(
        store.revoke_old_secret(&acme.id, &revoked()).await.unwrap(),
        None
    );
    store
        .rotate_provider(&acme.id, &[7], Some(at(99)), &rotated())
        .await
        .unwrap();
    let row = store
        .revoke_old_secret(&acme.id, &revoked())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((row.secret, row.old_secret), (vec![7], None));
    let nobody = store
        .rotate_provider(&id("nobody"), &[1], None, &rotated())
        .await
        .unwrap();
    assert_eq!(nobody, None);
    assert_eq!(noted(&database).await.len(), 6);
}

fn callback(provider: &str, second: i64, player: &str, outcome: &str, ids: &[&str]) -> NewCallback {
    NewCallback {
        provider: id(provider),
        callback: LoggedCallback {
            received_at: at(second),
            outcome: outcome.to_owned(),
            action: "bet".to_owned(),
            kind: Some("bet".to_owned()),
            player: Some(player.to_owned()),
            round: None,
            transactions: ids.iter().map(|id| (*id).to_owned()).collect(),
            signature: "current".to_owned(),
            status: if outcome == "ok" { 200 } else { 402 },
            took_us: 1200,
            address: Some("192.0.2.7".to_owned()),
            request_id: None,
        },
        detail: format!("{{\"second\":{second}}}"),
    }
}

fn page(limit: u32, scan_max: u32) -> CallbackPageOf {
    CallbackPageOf {
        before: None,
        from: None,
        limit,
        scan_max,
        filter: CallbackFilter::default(),
    }
}

/// The seconds of all pages.
async fn all_pages(store: &Store, mut of: CallbackPageOf) -> (Vec<i64>, usize) {
    let (mut seconds, mut pages) = (Vec::new(), 0);
    loop {
        let page = store.callback_page(&id("acme"), &of).await.unwrap();
        pages += 1;
        let of_page = page
            .entries
            .iter()
            .map(|(_, entry)| (entry.received_at.as_micros() - at(0).as_micros()) / 1_000_000);
        seconds.extend(of_page);
        match page.next {
            Some(next) => of.before = Some(next),
            None => return (seconds, pages),
        }
    }
}

#[tokio::test]
async fn callbacks_are_read_newest_first_and_by_what_is_asked_for() {
    let database = Database::new("callbacks").await;
    let store = &database.store;
    // Two of one moment, one of another account, and ids with everything that JSON and arrays quote.
    let odd = ["a,b", "{\"x\"}", "NULL", "", "\u{1F3B2}", "b\\"];
    let new = [
        callback("acme", 1, "alice", "ok", &["b-1"]),
        callback("acme", 2, "bob", "insufficient_funds", &["b-2"]),
        callback("acme", 2, "alice", "ok", &odd),
        callback("acme", 3, "alice", "ok", &[]),
        callback("beta", 4, "alice", "ok", &["b-4"]),
    ];
    store.log_callbacks(&new).await.unwrap();
    let first = store
        .callback_page(&id("acme"), &page(10, 100))
        .await
        .unwrap();
    assert_eq!((first.entries.len(), first.next), (4, None));
    let (number, entry) = &first.entries[1];
    assert_eq!(*entry, new[2].callback);
    let (entry, detail) = store.callback(&id("acme"), *number).await.unwrap().unwrap();
    assert_eq!(
        (entry, detail.as_str()),
        (new[2].callback.clone(), "{\"second\":2}")
    );
    assert_eq!(store.callback(&id("beta"), *number).await.unwrap(), None);

    assert_eq!(all_pages(store, page(1, 100)).await, (vec![3, 2, 2, 1], 5));
    // A page looks at two rows, and goes on behind them whatever it found.
    let of = |filter: CallbackFilter| CallbackPageOf {
        filter,
        ..page(10, 2)
    };
    let mut filter = CallbackFilter {
        transaction: Some("NULL".to_owned()),
        ..CallbackFilter::default()
    };
    assert_eq!(all_pages(store, of(filter.clone())).await, (vec![2], 3));
    filter.transaction = Some("nowhere".to_owned());
    assert_eq!(all_pages(store, of(filter)).await, (vec![], 3));
    let mut filter = CallbackFilter {
        failures: true,
        ..CallbackFilter::default()
    };
    assert_eq!(all_pages(store, of(filter.clone())).await.0, [2]);
    filter.player = Some("alice".to_owned());
    assert!(all_pages(store, of(filter)).await.0.is_empty());
    let of_time = CallbackPageOf {
        before: Some(CallbackPosition::before(at(3))),
        from: Some(at(2)),
        ..page(10, 100)
    };
    assert_eq!(all_pages(store, of_time).await.0, [2, 2]);
}

#[tokio::test]
async fn what_is_too_old_or_too_much_goes_oldest_first_and_in_batches() {
    let database = Database::new("callbacks_trim").await;
    let store = &database.store;
    let new: Vec<_> = (1..=10)
        .map(|second| callback("acme", second, "alice", "ok", &[]))
        .chain([callback("beta", 1, "bob", "ok", &[])])
        .collect();
    store.log_callbacks(&new).await.unwrap();
    let acme = id("acme");
    let trim = async |before, keep, most| {
        let trimmed = store.trim_callbacks(&acme, at(before), keep, most).await;
        trimmed.unwrap()
    };
    assert_eq!(trim(0, 100, 100).await, 0);
    assert_eq!(trim(2, 100, 100).await, 2);
    assert_eq!(trim(0, 5, 2).await, 2);
    assert_eq!(trim(0, 5, 2).await, 1);
    assert_eq!(trim(0, 5, 2).await, 0);
    assert_eq!(all_pages(store, page(100, 100)).await.0, [10, 9, 8, 7, 6]);
    assert_eq!(trim(9, 0, 100).await, 5);
    let beta = store.callback_page(&id("beta"), &page(1, 1)).await.unwrap();
    assert_eq!(beta.entries.len(), 1);
}
