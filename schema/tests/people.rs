//! Players as they are listed, statements, and what two persons decide, on Postgres.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use common::Database;
use pitboss_actors::ports::Ledger;
use pitboss_schema::{
    AccountSums, ApprovalFilter, ApprovalKind, ApprovalState, AuditAction, AuditActor, AuditNote,
    NewApproval, Numbers, PlayerCursor, PlayerFilter, Profile, ProfileChange, Store, Verdict,
};
use pitboss_wallet::{
    By, Command, Currency, Fact, OpenSession, PlayerId, PlayerStatus, SessionId, SetStatus,
    Timestamp, TransactionId,
};
use play::{Player, eur, history, policy};
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

async fn create(store: &Store, name: &str, country: &str, test: bool) {
    let profile = Profile {
        country: Some(country.to_owned()),
        test,
        ..Profile::default()
    };
    store.create_player(&id(name), &profile).await.unwrap();
}

async fn listed(store: &Store, filter: &PlayerFilter, page: u32) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let mut after: Option<PlayerCursor> = None;
    loop {
        let rows = store.players(filter, after.as_ref(), page).await.unwrap();
        all.extend(rows.iter().map(|row| row.id.to_string()));
        let Some(last) = rows.last() else {
            return all;
        };
        after = Some(PlayerCursor {
            created_at: last.created_at,
            id: last.id.to_string(),
        });
    }
}

#[tokio::test]
async fn players_are_listed_by_every_filter_a_page_at_a_time() {
    let database = Database::new("listed").await;
    let store = &database.store;
    let client = database.client().await;
    let mut everybody = Vec::new();
    for number in 0..40_i64 {
        let name = format!("{}-{number:02}", if number % 4 == 0 { "vip" } else { "p" });
        let country = if number % 3 == 0 { "SE" } else { "DE" };
        create(store, &name, country, number % 5 == 0).await;
        let status = PlayerStatus::ALL[usize::try_from(number % 4).unwrap()];
        // Pairs have one moment.
        let sql =
            "UPDATE player SET status = $2, created_at = to_timestamp($3::float8) WHERE id = $1";
        #[allow(clippy::cast_precision_loss, reason = "small")]
        let moment = (1_700_000_000 + number / 2) as f64;
        client
            .execute(
                &sql.replace("$2", &format!("'{}'", status.as_str()))
                    .replace("$3", &moment.to_string()),
                &[&name],
            )
            .await
            .unwrap();
        everybody.push((name, country, number % 5 == 0, status, number / 2));
    }
    everybody.reverse();
    let expect = |keep: &dyn Fn(&(String, &str, bool, PlayerStatus, i64)) -> bool| {
        let mut kept: Vec<_> = everybody.iter().filter(|one| keep(one)).collect();
        kept.sort_by(|a, b| (b.4, &b.0).cmp(&(a.4, &a.0)));
        kept.iter().map(|one| one.0.clone()).collect::<Vec<_>>()
    };
    let any = PlayerFilter::default;
    for page in [1, 7, 100] {
        assert_eq!(listed(store, &any(), page).await, expect(&|_| true));
        for status in PlayerStatus::ALL {
            let filter = PlayerFilter {
                status: Some(status),
                ..any()
            };
            assert_eq!(
                listed(store, &filter, page).await,
                expect(&|one| one.3 == status)
            );
            let filter = PlayerFilter {
                country: Some("SE".to_owned()),
                ..filter
            };
            let both = expect(&|one| one.3 == status && one.1 == "SE");
            assert_eq!(listed(store, &filter, page).await, both);
        }
        for test in [true, false] {
            let filter = PlayerFilter {
                test: Some(test),
                country: Some("DE".to_owned()),
                ..any()
            };
            let expected = expect(&|one| one.2 == test && one.1 == "DE");
            assert_eq!(listed(store, &filter, page).await, expected);
        }
        let filter = PlayerFilter {
            created_from: Some(at(3)),
            created_before: Some(at(9)),
            ..any()
        };
        assert_eq!(
            listed(store, &filter, page).await,
            expect(&|one| (3..9).contains(&one.4))
        );
        let filter = PlayerFilter {
            id_prefix: Some("vip".to_owned()),
            created_from: Some(at(3)),
            ..any()
        };
        let mut vips = expect(&|one| one.0.starts_with("vip") && one.4 >= 3);
        vips.sort();
        assert_eq!(listed(store, &filter, page).await, vips);
    }
    let nobody = PlayerFilter {
        country: Some("XX".to_owned()),
        ..any()
    };
    assert!(listed(store, &nobody, 5).await.is_empty());
}

#[tokio::test]
async fn what_is_told_of_a_player_changes_and_leaves_an_entry() {
    let database = Database::new("profile").await;
    let store = &database.store;
    create(store, "alice", "SE", false).await;
    let change = ProfileChange {
        language: Some(Some("sv".to_owned())),
        labels: Some([("vip".to_owned(), "gold".to_owned())].into()),
        ..ProfileChange::default()
    };
    let entry = note(AuditAction::PlayerChanged);
    assert!(
        store
            .change_player(&id("alice"), &change, &entry)
            .await
            .unwrap()
    );
    let row = store.player(&id("alice")).await.unwrap().unwrap();
    assert_eq!(row.country.as_deref(), Some("SE"));
    assert_eq!(row.language.as_deref(), Some("sv"));
    assert_eq!(row.labels["vip"], "gold");
    let forget = ProfileChange {
        country: Some(None),
        language: Some(None),
        ..ProfileChange::default()
    };
    let entry = note(AuditAction::PlayerChanged);
    assert!(
        store
            .change_player(&id("alice"), &forget, &entry)
            .await
            .unwrap()
    );
    let row = store.player(&id("alice")).await.unwrap().unwrap();
    assert_eq!((row.country, row.language), (None, None));
    assert_eq!(row.labels["vip"], "gold");
    let entry = note(AuditAction::PlayerChanged);
    assert!(
        !store
            .change_player(&id("bob"), &change, &entry)
            .await
            .unwrap()
    );
    let client = database.client().await;
    let entries = client
        .query(
            "SELECT 1 FROM audit_entry WHERE action = 'player.changed'",
            &[],
        )
        .await
        .unwrap();
    assert_eq!(entries.len(), 2);
}

/// Many more than memory holds, and not those of others.
#[tokio::test]
async fn a_block_ends_all_live_sessions_in_one_decision() {
    let database = Database::new("ends").await;
    let store = &database.store;
    let mut alice = Player::seated(store, "alice", policy()).await;
    let bob = Player::seated(store, "bob", policy()).await;
    for number in 0..40_u8 {
        let open = OpenSession {
            session: SessionId(Uuid::now_v7()),
            currency: eur(),
            token_hash: [number + 1; 32],
            expires_at: Timestamp::from_micros(4_000_000_000_000_000).plus_seconds(3600),
        };
        alice.run(&Command::OpenSession(open)).await;
    }
    alice.reload().await;
    assert!(alice.state.sessions.len() < 41, "memory holds them all");
    let block = SetStatus {
        status: PlayerStatus::Blocked,
        reason: "a test".to_owned(),
        by: by("Mary"),
    };
    alice.run(&Command::SetStatus(block)).await;
    let live = async |of: &PlayerId| {
        let facts = store.find(of, &[Fact::LiveSessions]).await.unwrap();
        facts.live_sessions.unwrap().len()
    };
    assert_eq!(live(&alice.state.id).await, 0);
    assert_eq!(live(&bob.state.id).await, 1);
}

/// A player whose transactions came at these seconds, in this order.
async fn dated(database: &Database, name: &str, seconds: &[i64]) {
    create(&database.store, name, "SE", false).await;
    let client = database.client().await;
    let sql = "INSERT INTO ledger (player_id, number, id, provider_id, kind, external_id, provider_wide, state, fingerprint, reply, created_at)
        SELECT $1, s.number, gen_random_uuid(), 'demo', 'close_round', s.number::text, false, 'applied', '', '{}', to_timestamp(1700000000 + s.second)
        FROM unnest($2::int8[]) WITH ORDINALITY AS s (second, number)";
    client.execute(sql, &[&name, &seconds]).await.unwrap();
    let sql = "UPDATE player SET last_transaction = cardinality($2::int8[]) WHERE id = $1";
    client.execute(sql, &[&name, &seconds]).await.unwrap();
}

#[tokio::test]
async fn a_period_begins_and_ends_at_the_right_transaction() {
    let database = Database::new("period").await;
    let store = &database.store;
    for length in [0_usize, 1, 2, 3, 7, 8, 9, 64, 100] {
        let name = format!("p{length}");
        // Some at one moment.
        let seconds: Vec<i64> = (0..length).map(|n| i64::try_from(n / 2).unwrap()).collect();
        dated(&database, &name, &seconds).await;
        for (from, to) in [(0, 1), (0, 1000), (3, 17), (31, 32), (200, 300)] {
            let found = store
                .statement_numbers(&id(&name), at(from), at(to))
                .await
                .unwrap();
            let before = |moment: i64| {
                let earlier = seconds.iter().filter(|second| **second < moment);
                i64::try_from(earlier.count()).unwrap() + 1
            };
            let expected = Numbers {
                first: before(from),
                past: before(to),
            };
            assert_eq!(found, expected, "{length} transactions, {from} to {to}");
        }
    }
}

/// Two servers whose clocks differ: a transaction may come with a time before that of the one before it.
#[tokio::test]
async fn periods_side_by_side_have_each_transaction_once_whatever_the_clocks_say_and_whatever_comes_later()
 {
    let database = Database::new("tiled").await;
    let store = &database.store;
    let seconds: Vec<i64> = (0..500_i64).map(|n| n / 2 + (n * 7919) % 5 - 2).collect();
    let borders = async |name: &str| {
        let mut found = Vec::new();
        for from in (-10..300).step_by(5) {
            let numbers = store
                .statement_numbers(&id(name), at(from), at(from + 5))
                .await
                .unwrap();
            found.push((numbers.first, numbers.past));
        }
        found
    };
    dated(&database, "whole", &seconds).await;
    let whole = borders("whole").await;
    assert_eq!((whole[0].0, whole.last().unwrap().1), (1, 501));
    for pair in whole.windows(2) {
        assert_eq!(pair[0].1, pair[1].0, "{whole:?}");
    }
    // What was said when there were fewer of them holds: of periods that were over by then.
    dated(&database, "early", &seconds[..230]).await;
    let early = borders("early").await;
    let over = early.iter().zip(&whole).take(20);
    for (then, now) in over {
        assert_eq!(then, now);
    }
}

#[tokio::test]
async fn a_statement_adds_up_from_any_transaction_to_any_other() {
    let database = Database::new("adds_up").await;
    let store = &database.store;
    let (alice, _) = history::of_alice_and_bob(store).await;
    let of = &alice.state.id;
    let past = alice.state.last_transaction + 1;
    for currency in [eur(), Currency::from_code("USD").unwrap()] {
        let all = Numbers { first: 1, past };
        let lines = store
            .statement_lines(of, currency, all, 1_000)
            .await
            .unwrap();
        assert!(!lines.is_empty());
        let balances = async |before| {
            store
                .statement_balances(of, currency, before)
                .await
                .unwrap()
        };
        assert_eq!(balances(1).await, AccountSums::default());
        let mut running = AccountSums::default();
        for line in &lines {
            assert_eq!(balances(line.number).await, running, "before {line:?}");
            running = running.plus(line.change);
            assert_eq!(balances(line.number + 1).await, running, "after {line:?}");
        }
        let wallet = alice.state.wallet(currency).unwrap();
        assert_eq!(running.cash, wallet.cash);
        assert_eq!(running.receivable, wallet.receivable);
        // In pieces, nothing is left out and nothing comes twice.
        let mut pieces = Vec::new();
        let mut first = 1;
        while let Some(last) = {
            let numbers = Numbers { first, past };
            let piece = store
                .statement_lines(of, currency, numbers, 3)
                .await
                .unwrap();
            let last = piece.last().map(|line| line.number);
            pieces.extend(piece);
            last
        } {
            first = last + 1;
        }
        assert_eq!(pieces, lines);
    }
    assert!(
        alice.state.wallet(eur()).unwrap().receivable < 0,
        "a debt is among them"
    );
}

fn wanted(id: u128, at_second: i64) -> NewApproval {
    NewApproval {
        id: Uuid::from_u128(id),
        kind: ApprovalKind::Adjustment,
        state: ApprovalState::Pending,
        player: PlayerId::new("alice").unwrap(),
        payload: "{}".to_owned(),
        maker: by("Mary"),
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
