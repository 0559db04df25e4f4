//! The audit's queries against a real Postgres with the real schema: what they find, and that they find it.

use std::{fs, path::Path};

use pitboss_services::{Postgres, PostgresOptions, ScratchDir};
use tokio_postgres::Client;

use super::*;
use crate::{
    bets::book::Fate,
    database::{self, Holdings},
};

const START: i64 = 1_000_000_000;

/// The migrations in their order. From the files, because this is about the tables as they are.
async fn migrate(client: &Client) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schema/migrations");
    let mut files: Vec<(u32, std::path::PathBuf)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "sql"))
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            let number = name[1..].split_once("__").unwrap().0.parse().unwrap();
            (number, path)
        })
        .collect();
    files.sort();
    for (_, path) in files {
        client
            .batch_execute(&fs::read_to_string(path).unwrap())
            .await
            .unwrap();
    }
}

/// A player with a deposit of [`START`].
async fn player(client: &Client, id: &str) {
    client
        .batch_execute(&format!(
            "INSERT INTO lane (id) VALUES (0) ON CONFLICT DO NOTHING;
             INSERT INTO player (id, lane) VALUES ('{id}', 0);
             INSERT INTO balance VALUES ('{id}', 'EUR', 'CASH', {START});
             INSERT INTO ledger (player_id, number, id, provider_id, kind, external_id, provider_wide, state,
                 fingerprint, currency, amount, accounts, amounts, balances_after, reply, created_at)
             VALUES ('{id}', 1, gen_random_uuid(), 'psp', 'deposit', 'first', false, 'applied',
                 '', 'EUR', {START}, '{{CASH,PSP_CLEARING}}', ARRAY[{START}, -{START}], ARRAY[{START}, NULL], '', now());"
        ))
        .await
        .unwrap();
}

/// A bet as the server files it.
async fn bet(client: &Client, player: &str, number: i64, id: &str, units: i64) {
    client
        .batch_execute(&format!(
            "UPDATE balance SET amount = amount - {units} WHERE player_id = '{player}';
             INSERT INTO ledger (player_id, number, id, provider_id, kind, external_id, provider_wide, state,
                 fingerprint, currency, amount, accounts, amounts, balances_after, reply, created_at)
             SELECT '{player}', {number}, gen_random_uuid(), 'demo', 'bet', '{id}', false, 'applied',
                 '', 'EUR', {units}, '{{CASH,HOUSE:demo}}', ARRAY[-{units}, {units}], ARRAY[amount, NULL], '', now()
             FROM balance WHERE player_id = '{player}';"
        ))
        .await
        .unwrap();
}

async fn findings(client: &mut Client, run: &Run, book: &Book) -> Vec<&'static str> {
    let expected = Expected {
        run,
        book,
        provider: "demo",
        currency: "EUR",
        before: &[START, START],
    };
    let report = audit(client, &expected).await.unwrap();
    report.breaches.into_keys().collect()
}

#[tokio::test]
async fn the_audit_finds_in_postgres_what_is_not_as_acknowledged() {
    let scratch = ScratchDir::new("loadtest-audit").unwrap();
    let mut postgres = Postgres::start(PostgresOptions::for_tests(scratch.join("postgres")))
        .await
        .unwrap();
    postgres.create_database("casino").await.unwrap();
    let config = database::config(&postgres.url("casino")).unwrap();
    let mut client = database::connect(&config).await.unwrap();
    migrate(&client).await;
    player(&client, "load-000000").await;
    player(&client, "load-000001").await;
    let holdings: Vec<(u32, Holdings)> = database::holdings(&client, "EUR").await.unwrap();
    assert_eq!(holdings.len(), 2);
    assert_eq!((holdings[1].0, holdings[1].1.cash), (1, START));
    assert_eq!(database::outbox_left(&client).await.unwrap(), 0);

    let run = Run::new(5, 6);
    let mut book = Book::default();
    for (player, fate) in [(0, Fate::Acknowledged), (1, Fate::Unknown)] {
        let number = book.open(player).unwrap();
        book.settle(number, fate);
    }
    let id = |number: u32| format!("{}{number}", run.prefix);
    let lost = ["acknowledged, but not in the ledger"];
    assert_eq!(findings(&mut client, &run, &book).await, lost);

    bet(&client, "load-000000", 2, &id(0), run.units(0)).await;
    bet(&client, "load-000000", 3, "lt-of-another-run", 0).await;
    assert_eq!(findings(&mut client, &run, &book).await, [""; 0]);

    bet(&client, "load-000001", 2, &id(1), run.units(1) + 1).await;
    let other_amount = [
        "a balance did not fall by what was bet",
        "in the ledger with another amount",
        "postings do not take the amount or do not sum to zero",
    ];
    assert_eq!(findings(&mut client, &run, &book).await, other_amount);

    client
        .batch_execute("UPDATE balance SET amount = amount + 1 WHERE player_id = 'load-000001'")
        .await
        .unwrap();
    let found = findings(&mut client, &run, &book).await;
    assert!(
        found.contains(&"a balance is not the sum of its postings"),
        "{found:?}"
    );
    postgres.stop().await;
}
