//! What two persons decide, on Postgres.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::Database;
use pitboss_schema::{
    ApprovalFilter, ApprovalKind, ApprovalState, AuditAction, AuditActor, AuditNote, NewApproval,
    Store, Verdict,
};
use pitboss_wallet::{By, PlayerId, Timestamp, TransactionId};
use uuid::Uuid;

fn id(name: &str) -> PlayerId {
    PlayerId::new(name).unwrap()
}

fn by(person: &str) -> By {
    By {
        key: Uuid::from_u128(person.bytes().map(u128::from).sum()),
        person: person.to_owned(),
    }
}

#[allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]
fn note(action: AuditAction) -> AuditNote {
    AuditNote {
        id: Uuid::now_v7(),
        at: at(0),
        action,
        actor: AuditActor {
            kind: "server",
            id: "test".to_owned(),
            person: None,
            address: None,
        },
        subject: "a test".to_owned(),
        detail: serde_json::json!({}),
    }
}

/// So many seconds after a moment.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(1_700_000_000_000_000).plus_seconds(seconds)
}

fn wanted(id: u128, at_second: i64) -> NewApproval {
    NewApproval {
        id: Uuid::from_u128(id),
        kind: ApprovalKind::Adjustment,
        state: ApprovalState::Pending,
        player: PlayerId::new("alice").unwrap(),
        payload: "{}".to_owned(),
        maker: by("Mary"),
        maker_hands: vec!["mary".to_owned()],
        at: at(at_second),
        expires_at: at(at_second + 100),
    }
}

async fn ask(store: &Store, id: u128) -> Uuid {
    let new = wanted(id, 0);
    let entry = note(AuditAction::ApprovalRequested);
    store.create_approval(&new, &entry).await.unwrap();
    new.id
}

/// Approve and approve, approve and reject, approve and expire: at once, many times.
#[tokio::test]
async fn of_all_who_decide_at_once_one_does() {
    let database = Database::new("decided").await;
    let store = &database.store;
    let client = database.client().await;
    for round in 1..=40_u128 {
        let id = ask(store, round).await;
        let (carl, dora) = (by("Carl"), by("Dora"));
        let entries: Vec<AuditNote> = (0..4)
            .map(|_| note(AuditAction::ApprovalApproved))
            .collect();
        // The first two come in time; the last one is the clock's, whose time has come when it looks.
        let late = at(101);
        let (one, two, three, four) = tokio::join!(
            store.decide_approval(id, Verdict::Approve(&carl), at(50), &entries[0]),
            store.decide_approval(id, Verdict::Approve(&dora), at(50), &entries[1]),
            store.decide_approval(id, Verdict::Reject(&dora, "no"), at(50), &entries[2]),
            store.decide_approval(id, Verdict::Expire, late, &entries[3]),
        );
        let all = [one.unwrap(), two.unwrap(), three.unwrap(), four.unwrap()];
        let decided: Vec<_> = all.iter().flatten().collect();
        assert_eq!(decided.len(), 1, "{decided:?}");
        let kept = store.approval(id).await.unwrap().unwrap();
        assert_eq!(&kept, decided[0]);
        let ids: Vec<Uuid> = entries.iter().map(|entry| entry.id).collect();
        let written = client
            .query("SELECT 1 FROM audit_entry WHERE id = ANY ($1)", &[&ids])
            .await
            .unwrap();
        assert_eq!(written.len(), 1, "one entry for one decision");
    }
}

#[tokio::test]
async fn nobody_decides_what_is_over_and_nothing_expires_before() {
    let database = Database::new("over").await;
    let store = &database.store;
    let id = ask(store, 1).await;
    let carl = by("Carl");
    let entry = || note(AuditAction::ApprovalApproved);
    let decide = async |verdict, moment| {
        let entry = entry();
        store
            .decide_approval(id, verdict, moment, &entry)
            .await
            .unwrap()
    };
    assert!(decide(Verdict::Expire, at(99)).await.is_none());
    assert!(store.approvals_due(at(99), 10).await.unwrap().is_empty());
    assert!(decide(Verdict::Approve(&carl), at(100)).await.is_none());
    assert!(
        decide(Verdict::Reject(&carl, "no"), at(100))
            .await
            .is_none()
    );
    assert_eq!(store.approvals_due(at(100), 10).await.unwrap(), [id]);
    let expired = decide(Verdict::Expire, at(100)).await.unwrap();
    assert_eq!(expired.state, ApprovalState::Expired);
    assert!(decide(Verdict::Approve(&carl), at(50)).await.is_none());
    assert!(store.approvals_due(at(100), 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_came_of_an_approval_is_written_down_once() {
    let database = Database::new("finished").await;
    let store = &database.store;
    let id = ask(store, 1).await;
    let transaction = TransactionId(Uuid::from_u128(7));
    let finish = async |result| store.finish_approval(id, result, at(60)).await.unwrap();
    assert!(
        finish(Ok(transaction)).await.is_none(),
        "nobody approved it"
    );
    let entry = note(AuditAction::ApprovalApproved);
    let carl = by("Carl");
    let approve = Verdict::Approve(&carl);
    store
        .decide_approval(id, approve, at(50), &entry)
        .await
        .unwrap()
        .unwrap();
    let unfinished = store.unfinished_approvals(at(50), 10).await.unwrap();
    assert_eq!(unfinished.len(), 1);
    assert!(
        store
            .unfinished_approvals(at(49), 10)
            .await
            .unwrap()
            .is_empty()
    );
    let done = finish(Ok(transaction)).await.unwrap();
    assert_eq!(done.state, ApprovalState::Approved);
    assert_eq!(
        (done.transaction, done.checker),
        (Some(transaction), Some(carl))
    );
    assert!(finish(Err("{}")).await.is_none(), "it has an end");
    assert!(
        store
            .unfinished_approvals(at(99), 10)
            .await
            .unwrap()
            .is_empty()
    );
    // The same request again is the same approval.
    let entry = note(AuditAction::ApprovalRequested);
    let again = store.create_approval(&wanted(1, 9), &entry).await.unwrap();
    assert_eq!(again, store.approval(id).await.unwrap().unwrap());
}

#[tokio::test]
async fn approvals_are_listed_by_every_filter_a_page_at_a_time() {
    let database = Database::new("approvals").await;
    let store = &database.store;
    for number in 1..=20_u128 {
        let second = i64::try_from(number / 2).unwrap();
        let new = NewApproval {
            player: id(if number % 3 == 0 { "bob" } else { "alice" }),
            kind: ApprovalKind::ALL[usize::try_from(number % 2).unwrap()],
            ..wanted(number, second)
        };
        let entry = note(AuditAction::ApprovalRequested);
        store.create_approval(&new, &entry).await.unwrap();
        if number % 4 == 0 {
            let entry = note(AuditAction::ApprovalRejected);
            let dora = by("Dora");
            let reject = Verdict::Reject(&dora, "no");
            store
                .decide_approval(new.id, reject, at(second), &entry)
                .await
                .unwrap()
                .unwrap();
        }
    }
    let page = async |filter: &ApprovalFilter, limit| {
        let mut all = Vec::new();
        let mut before = None;
        loop {
            let rows = store.approvals(filter, before, limit).await.unwrap();
            all.extend(rows.iter().map(|row| row.id.as_u128()));
            let Some(last) = rows.last() else {
                return all;
            };
            before = Some((last.created_at, last.id));
        }
    };
    let any = ApprovalFilter::default;
    let expect =
        |keep: &dyn Fn(u128) -> bool| (1..=20).rev().filter(|n| keep(*n)).collect::<Vec<_>>();
    for limit in [1, 3, 100] {
        assert_eq!(page(&any(), limit).await, expect(&|_| true));
        let rejected = ApprovalFilter {
            state: Some(ApprovalState::Rejected),
            ..any()
        };
        assert_eq!(page(&rejected, limit).await, expect(&|n| n % 4 == 0));
        let of_bob = ApprovalFilter {
            player: Some(id("bob")),
            state: Some(ApprovalState::Pending),
            kind: Some(ApprovalKind::ALL[1]),
        };
        let expected = expect(&|n| n % 3 == 0 && n % 4 != 0 && n % 2 == 1);
        assert_eq!(page(&of_bob, limit).await, expected);
    }
}
