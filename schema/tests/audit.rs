//! Each check of the audit finds what it is there for, and no other check speaks for it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;
mod play;

use common::Database;
use pitboss_schema::audit::{self, Report};
use pitboss_wallet::{By, Command, Money, Person, PlayerId, RequestWithdrawal, WithdrawalTerms};
use play::{Player, eur, external, history, policy};
use tokio_postgres::Client;

const SUM: &str = "postings of a transaction sum to zero per currency";
const BALANCE: &str = "a balance is the sum of its postings";
const CHAIN: &str = "each posting left the sum of those up to it";
const ANSWER: &str = "each answer told the balance of its transaction";
const OWED: &str = "no player account but RECEIVABLE is owed";
const CREDIT: &str = "no bet touches RECEIVABLE";
const KEY: &str = "one key, one transaction";
const MOVES: &str = "a transaction moves what it says";
const WIDE: &str = "a provider-wide key belongs to one player";
const ONCE: &str = "a transaction is taken back once at most";
const MIRROR: &str = "what is taken back goes back to where it came from";
const ROUND: &str = "a round is what its transactions make of it";
const EVENTS: &str = "a player's events are numbered without a gap";
const NUMBERS: &str = "a player's transactions are numbered without a gap";
const ENVELOPE: &str = "an event tells whose it is, and which";
const LANE: &str = "a lane's events are numbered without a gap";
const REPLAY: &str = "events alone replay to the balances";
const LOG: &str = "the audit log is the chain that was written";
const TOMBSTONE: &str = "only an applied key moves";
const HOLDS: &str = "what is held is what withdrawals hold, and each hold ends once";

/// What an intruder does to alice, and who notices.
const TAMPERED: &[(&str, &[&str])] = &[
    (
        "UPDATE ledger SET amounts[2] = amounts[2] + 1 WHERE external_id = 'alice b-1'",
        &[SUM],
    ),
    (
        "UPDATE ledger SET accounts = accounts || '{HOUSE:x}' WHERE external_id = 'alice b-1'",
        &[SUM],
    ),
    (
        "UPDATE balance SET amount = amount + 1 WHERE player_id = 'alice' AND currency = 'USD'",
        &[BALANCE, REPLAY],
    ),
    (
        "DELETE FROM balance WHERE player_id = 'alice' AND currency = 'USD'",
        &[BALANCE, REPLAY],
    ),
    (
        "UPDATE balance SET amount = amount - 1 WHERE player_id = 'alice' AND account = 'RECEIVABLE'",
        &[BALANCE, REPLAY],
    ),
    (
        "UPDATE ledger SET balances_after[1] = balances_after[1] + 1 WHERE external_id = 'alice b-1'",
        &[CHAIN],
    ),
    (
        r#"UPDATE ledger SET reply = regexp_replace(reply, '("balance":.*"cash":)', '\1 1')
           WHERE external_id = 'alice b-1'"#,
        &[ANSWER],
    ),
    (
        "UPDATE ledger SET reply = 'x' WHERE external_id = 'alice b-1'",
        &[ANSWER],
    ),
    (
        "UPDATE ledger SET balances_after[1] = -1 WHERE external_id = 'alice b-1'",
        &[OWED, CHAIN],
    ),
    (
        "UPDATE balance SET amount = -1 WHERE player_id = 'alice' AND currency = 'USD'",
        &[OWED, BALANCE, REPLAY],
    ),
    (
        "UPDATE ledger SET accounts = accounts || '{RECEIVABLE}', amounts = amounts || '{0}',
             balances_after = balances_after || '{0}' WHERE external_id = 'alice b-1'",
        &[CREDIT],
    ),
    (
        "UPDATE ledger SET external_id = 'alice b-1' WHERE external_id = 'alice b-2'",
        &[KEY],
    ),
    (
        "UPDATE ledger SET id = (SELECT id FROM ledger WHERE external_id = 'alice void')
         WHERE external_id = 'alice rb-ghost'",
        &[KEY],
    ),
    (
        "UPDATE ledger SET amount = amount + 1 WHERE external_id = 'alice dollars'",
        &[MOVES],
    ),
    (
        "UPDATE ledger SET amount = -amount WHERE external_id = 'alice adj-2'",
        &[MOVES],
    ),
    (
        r#"UPDATE outbox SET bodies = ARRAY(
               SELECT replace(b, '"direction":"credit"', '"direction":"debit"') FROM unnest(bodies) b
           ) WHERE player_id = 'alice'"#,
        &[REPLAY],
    ),
    (
        "UPDATE payment SET state = 'processing' WHERE player_id = 'alice'",
        &[HOLDS],
    ),
    (
        "UPDATE payment SET amount = amount + 1 WHERE player_id = 'alice'",
        &[HOLDS],
    ),
    (
        "UPDATE payment SET document = replace(document, 'requested', 'paid') WHERE player_id = 'alice'",
        &[HOLDS],
    ),
    ("DELETE FROM payment WHERE player_id = 'alice'", &[HOLDS]),
    (
        "INSERT INTO ledger (
             player_id, number, id, provider_id, kind, external_id, provider_wide, state, fingerprint, reply, created_at
         )
         SELECT player_id, 1000, gen_random_uuid(), 'cashier', 'withdrawal_release',
             'pay_' || replace(id::text, '-', ''), false, 'applied', '', '{}', now()
         FROM payment WHERE player_id = 'alice' AND kind = 'withdrawal'",
        &[HOLDS, NUMBERS],
    ),
    ("DELETE FROM provider_key WHERE external_id = 'bob b-1'", &[WIDE]),
    (
        "UPDATE provider_key SET player_id = 'alice' WHERE external_id = 'bob b-1'",
        &[WIDE],
    ),
    (
        "INSERT INTO provider_key VALUES ('demo', 'bet', 'nobody made this', 'alice')",
        &[WIDE],
    ),
    (
        "UPDATE ledger SET reverses = (SELECT id FROM ledger WHERE external_id = 'alice b-2')
         WHERE external_id = 'alice rb-3'",
        &[ONCE, MIRROR, ROUND],
    ),
    (
        "UPDATE ledger SET reverses = gen_random_uuid() WHERE external_id = 'alice rb-2'",
        &[ONCE, ROUND],
    ),
    (
        r#"UPDATE ledger SET reply = replace(reply, '"funding":{"cash":40', '"funding":{"cash":39')
           WHERE external_id = 'alice rb-2'"#,
        &[MIRROR],
    ),
    (
        "UPDATE ledger SET accounts[1] = 'HOUSE:other' WHERE external_id = 'alice rb-2'",
        &[MIRROR],
    ),
    (
        "UPDATE ledger SET amount = amount + 1 WHERE external_id = 'alice rb-8'",
        &[MIRROR, ROUND],
    ),
    (
        "UPDATE round SET stake = stake + 1 WHERE player_id = 'alice' AND round_id = 'r-3'",
        &[ROUND],
    ),
    (
        "UPDATE round SET wins = 1 WHERE player_id = 'alice' AND round_id = 'r-4'",
        &[ROUND],
    ),
    (
        "UPDATE round SET is_open = true WHERE player_id = 'alice' AND round_id = 'r-1'",
        &[ROUND],
    ),
    (
        "UPDATE round SET entries = entries[2:] WHERE player_id = 'alice' AND round_id = 'r-1'",
        &[ROUND],
    ),
    ("DELETE FROM round WHERE player_id = 'alice' AND round_id = 'r-2'", &[ROUND]),
    (
        "UPDATE ledger SET round_id = 'r-2' WHERE external_id = 'alice w-late'",
        &[ROUND],
    ),
    (
        "UPDATE player SET last_event = last_event + 1 WHERE id = 'alice'",
        &[EVENTS, LANE],
    ),
    (
        "DELETE FROM outbox WHERE player_id = 'alice' AND types = '{game.launched}'",
        &[EVENTS, LANE],
    ),
    (
        "UPDATE player SET last_transaction = last_transaction + 1 WHERE id = 'alice'",
        &[NUMBERS],
    ),
    (
        "UPDATE outbox SET types = '{game.session_ended}' WHERE player_id = 'alice' AND types = '{game.launched}'",
        &[ENVELOPE],
    ),
    (
        "UPDATE outbox SET bodies = '{x}' WHERE player_id = 'alice' AND types = '{game.launched}'",
        &[ENVELOPE],
    ),
    (
        "UPDATE lane SET seq = seq + 1 WHERE id = (SELECT lane FROM player WHERE id = 'alice')",
        &[LANE],
    ),
    ("UPDATE lane_publisher SET published = 1000 WHERE lane = 0", &[LANE]),
    (
        // Gone, and not by trimming.
        "DELETE FROM outbox WHERE lane_seq = 1 AND player_id = 'alice'",
        &[EVENTS, LANE],
    ),
    (
        r#"UPDATE outbox SET bodies = ARRAY[regexp_replace(bodies[1], '"cash":"[0-9.]*"', '"cash":"1"')]
           WHERE player_id = 'alice' AND types = '{wallet.deposit_completed}' AND bodies[1] LIKE '%EUR%'"#,
        &[REPLAY],
    ),
    (
        r#"UPDATE outbox SET bodies[2] = replace(bodies[2], '"owed":"', '"owed":"1')
           WHERE player_id = 'alice' AND 'wallet.negative_balance' = ANY (types)"#,
        &[REPLAY],
    ),
    (
        "UPDATE ledger SET currency = 'EUR', amount = 0, accounts = '{HOUSE:x,HOUSE:y}', amounts = '{0,0}',
             balances_after = '{NULL,NULL}' WHERE external_id = 'alice ghost' AND kind = 'bet'",
        &[TOMBSTONE],
    ),
    ("UPDATE audit_head SET number = 1", &[LOG]),
];

fn broken(report: &Report) -> Vec<&'static str> {
    let checks = report.checks.iter();
    let mut broken: Vec<_> = checks
        .filter(|check| check.breaches > 0)
        .map(|check| check.what)
        .collect();
    broken.sort_unstable();
    broken
}

/// What guards the tables does not guard them from their owner. What is there is kept aside.
const UNGUARD: &str = "
    ALTER DOMAIN zero_sum DROP CONSTRAINT sums_to_zero;
    ALTER TABLE ledger DROP CONSTRAINT postings_are_whole;
    ALTER TABLE ledger DROP CONSTRAINT only_receivable_is_owed;
    ALTER TABLE ledger DROP CONSTRAINT one_key_one_movement;
    ALTER TABLE balance DROP CONSTRAINT only_receivable_is_owed;
    DROP INDEX ledger_reversed_once;
    SET session_replication_role = replica;
    CREATE SCHEMA aside";

const TABLES: [&str; 10] = [
    "audit_head",
    "payment",
    "ledger",
    "balance",
    "provider_key",
    "round",
    "player",
    "outbox",
    "lane",
    "lane_publisher",
];

async fn for_each_table(client: &Client, sql: &str) {
    for table in TABLES {
        let sql = sql.replace("$table", table);
        client.batch_execute(&sql).await.unwrap();
    }
}

/// Brings money, and asks for some of it.
async fn withdraw(player: &mut Player) {
    let name = "Kate".to_owned();
    let by = By {
        key: uuid::Uuid::nil(),
        person: name.clone(),
    };
    let deposit = pitboss_wallet::Deposit {
        reference: external("for a withdrawal"),
        amount: Money::new(100_000, eur()),
    };
    player.run(&Command::Deposit(deposit)).await;
    let request = RequestWithdrawal {
        reference: external("w-1"),
        amount: Money::new(60, eur()),
        destination: None,
        terms: WithdrawalTerms {
            fee_units: 2,
            approvers: 1,
            review: Vec::new(),
            may_cancel: true,
            expires_at: None,
        },
        by: Person {
            by,
            hands: vec![name],
        },
    };
    player
        .run(&Command::RequestWithdrawal(Box::new(request)))
        .await;
}

#[tokio::test]
async fn each_check_finds_what_was_tampered_with_and_the_others_stay_silent() {
    let database = Database::new("tampered").await;
    let store = &database.store;
    let (mut of_alice, _) = history::of_alice_and_bob(store).await;
    withdraw(&mut of_alice).await;
    let mut seen = 0;
    let report = audit::audit(store, |progress| seen = progress.number).await;
    let report = report.unwrap();
    assert!(report.is_clean(), "{report:#?}");
    assert_eq!(seen, report.checks.len());
    let all: Vec<_> = report.checks.iter().map(|check| check.what).collect();

    let client = database.client().await;
    client.batch_execute(UNGUARD).await.unwrap();
    for_each_table(&client, "CREATE TABLE aside.$table AS TABLE public.$table").await;
    let alice = PlayerId::new("alice").unwrap();
    let mut tested = Vec::new();
    for (tamper, noticed) in TAMPERED {
        client.batch_execute(tamper).await.unwrap();
        let report = audit::audit(store, |_| {}).await.unwrap();
        let mut wanted = noticed.to_vec();
        wanted.sort_unstable();
        assert_eq!(broken(&report), wanted, "{tamper}: {report:#?}");
        // The same for the one player, as far as it is his.
        if tamper.contains("'alice") && !tamper.contains("provider_key") {
            let report = audit::audit_player(store, &alice, |_| {}).await.unwrap();
            let mut found = broken(&report.unwrap());
            found.retain(|what| *what != LANE);
            wanted.retain(|what| *what != LANE);
            assert_eq!(found, wanted, "{tamper}");
        }
        tested.extend(noticed.iter());
        for_each_table(
            &client,
            "DELETE FROM $table; INSERT INTO $table SELECT * FROM aside.$table",
        )
        .await;
    }
    assert!(audit::audit(store, |_| {}).await.unwrap().is_clean());
    for what in all {
        assert!(tested.contains(&&what), "nothing tampers with: {what}");
    }
}

#[tokio::test]
async fn the_books_of_one_player_say_nothing_of_anothers() {
    let database = Database::new("another").await;
    let store = &database.store;
    let (mut of_alice, _) = history::of_alice_and_bob(store).await;
    withdraw(&mut of_alice).await;
    let client = database.client().await;
    client.batch_execute(UNGUARD).await.unwrap();
    for (tamper, _) in TAMPERED {
        client.batch_execute(tamper).await.unwrap();
    }
    assert!(!audit::audit(store, |_| {}).await.unwrap().is_clean());
    let carol = Player::seated(store, "carol", policy()).await;
    let report = audit::audit_player(store, &carol.state.id, |_| {}).await;
    let report = report.unwrap().unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

#[tokio::test]
async fn events_that_retention_dropped_are_no_breach() {
    let database = Database::new("dropped").await;
    history::of_alice_and_bob(&database.store).await;
    let client = database.client().await;
    client
        .batch_execute(
            "UPDATE lane_publisher p
             SET published = l.seq, trimmed = least(l.seq, 20), trimmed_events = (
                 SELECT coalesce(sum(cardinality(o.ids)), 0) FROM outbox o WHERE o.lane = p.lane AND o.lane_seq <= 20
             )
             FROM lane l
             WHERE l.id = p.lane;
             DELETE FROM outbox WHERE lane_seq <= 20",
        )
        .await
        .unwrap();
    let report = audit::audit(&database.store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

#[tokio::test]
async fn of_a_player_who_is_not_there_there_is_nothing_to_report() {
    let database = Database::new("nobody").await;
    let nobody = PlayerId::new("nobody").unwrap();
    let report = audit::audit_player(&database.store, &nobody, |_| {}).await;
    assert_eq!(report.unwrap(), None);
}
