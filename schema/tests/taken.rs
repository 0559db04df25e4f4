//! A batch some of whose entries want what is taken: what memory has forgotten must not be dear.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::disallowed_methods, reason = "a test is a seam of its own")]

mod common;
mod play;

use std::sync::Arc;

use common::Database;
use pitboss_actors::ports::{Committed, Ledger};
use pitboss_schema::audit;
use pitboss_wallet::{Decision, Policy, SessionId, TransactionScope};
use play::{Player, policy};
use tokio_postgres::Client;
use uuid::Uuid;

/// Counts how often the commit statement runs, also when it is undone: a sequence never goes back.
async fn count_commits(client: &Client) {
    client
        .batch_execute(
            "CREATE SEQUENCE commits;
             CREATE FUNCTION count_commit() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM nextval('commits'); RETURN NULL; END $$;
             CREATE TRIGGER count_commit BEFORE UPDATE ON player
                 FOR EACH STATEMENT EXECUTE FUNCTION count_commit()",
        )
        .await
        .unwrap();
}

async fn commits(client: &Client) -> i64 {
    let row = client.query_one("SELECT nextval('commits') - 1", &[]).await;
    row.unwrap().get(0)
}

async fn seated(database: &Database, count: usize, policy: &Policy) -> Vec<Player> {
    let mut players = Vec::new();
    for n in 0..count {
        let name = format!("p-{n:02}");
        players.push(Player::seated(&database.store, &name, policy.clone()).await);
    }
    players
}

fn stale(answers: &[Committed]) -> Vec<usize> {
    let places = answers.iter().enumerate();
    places
        .filter(|(_, answer)| **answer == Committed::Stale)
        .map(|(place, _)| place)
        .collect()
}

#[tokio::test]
async fn of_64_entries_those_that_want_what_is_taken_are_found_by_one_question() {
    let database = Database::new("taken").await;
    let mut wide = policy();
    wide.transaction_scope = TransactionScope::Provider;
    let mut players = seated(&database, 64, &wide).await;
    // Forgotten: a bet in its round, and one of an open round that memory has dropped.
    for n in [3, 40] {
        players[n].bet(&format!("old-{n}"), 5).await;
        players[n].forget();
    }
    let mut batch: Vec<Arc<Decision>> = Vec::new();
    for (n, player) in players.iter().enumerate() {
        let command = match n {
            3 => player.bet_command("old-3", 5),
            40 => player.bet_in("new-40", "round of old-40", 5),
            // Two entries of this batch want one id of the whole provider account.
            10 | 20 => player.bet_command("same", 5),
            // A token that another player has, and one that two want.
            30 => player.launch_command(SessionId(Uuid::now_v7()), players[0].token_hash),
            50 | 51 => player.launch_command(SessionId(Uuid::now_v7()), [7; 32]),
            _ => player.bet_command(&format!("new-{n}"), 5),
        };
        batch.push(player.decide(&command).await);
    }
    let client = database.client().await;
    count_commits(&client).await;
    let writer = database.store.writer().await.unwrap();
    let answers = writer.commit(&batch).await.unwrap();
    assert_eq!(commits(&client).await, 2, "once in vain, once without them");
    // In which order two entries of one batch are taken is the writer's own affair.
    let stale = stale(&answers);
    assert_eq!(stale.len(), 5, "{stale:?}");
    assert!([3, 30, 40].iter().all(|n| stale.contains(n)), "{stale:?}");
    assert!(stale.contains(&10) != stale.contains(&20), "{stale:?}");
    assert!(stale.contains(&50) != stale.contains(&51), "{stale:?}");
    for (n, player) in players.iter_mut().enumerate() {
        if !stale.contains(&n) {
            player.applied(&batch[n]).await;
        }
    }
    // The stale ones load again, and find what they had forgotten.
    players[40].reload().await;
    let again = players[40].bet_in("new-40", "round of old-40", 5);
    players[40].run(&again).await;
    let report = audit::audit(&database.store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}

#[tokio::test]
async fn an_entry_that_breaks_another_constraint_is_found_by_halving_beside_one_that_is_taken() {
    let database = Database::new("halved").await;
    let mut players = seated(&database, 8, &policy()).await;
    players[2].bet("old", 5).await;
    players[2].forget();
    let mut batch: Vec<Arc<Decision>> = Vec::new();
    for (n, player) in players.iter().enumerate() {
        let id = if n == 2 { "old" } else { "new" };
        batch.push(player.decide_bet(id, 5).await);
    }
    // No decision is like this one: a bug would be.
    let mut owed = (*batch[5]).clone();
    owed.balances[0].units = -5;
    batch[5] = Arc::new(owed);
    let writer = database.store.writer().await.unwrap();
    let answers = writer.commit(&batch).await.unwrap();
    assert_eq!(stale(&answers), [2, 5]);
    let report = audit::audit(&database.store, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:#?}");
}
