//! Players as they are listed, and statements, on Postgres.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]

mod common;
mod play;

use common::Database;
use pitboss_actors::ports::Ledger;
use pitboss_schema::{
    AccountSums, AuditAction, AuditActor, AuditNote, Numbers, PlayerCursor, PlayerFilter, Profile,
    ProfileChange, Store,
};
use pitboss_wallet::{
    By, Client, Command, Currency, Fact, OpenSession, PlayerId, PlayerStatus, SessionId, SetStatus,
    Timestamp,
};
use play::{Player, eur, history, policy};
use uuid::Uuid;

/// Name, country, whether for tests, status, second of creation.
type Person = (String, &'static str, bool, PlayerStatus, i64);

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
    let expect = |keep: &dyn Fn(&Person) -> bool| {
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
            client: Client::default(),
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
        let facts = store.find(of, &[Fact::Sessions]).await.unwrap();
        facts.unended.unwrap().len()
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
