//! Provider accounts over REST and the command line, and what they do to callbacks.
//!
//! `accounts`: made and changed. `life`: secrets, addresses, status, and several nodes.

mod accounts;
mod life;

use serde_json::Value;

use crate::support::{client::Client, ledger::Ledger};

/// What the audit log has of an account: each action with its details, in order.
async fn noted(client: &Client, id: &str) -> Vec<(String, Value)> {
    let ledger = Ledger::open(&client.at.postgres).await;
    let sql = "SELECT action, detail FROM audit_entry WHERE subject = $1 ORDER BY number";
    let rows = ledger
        .0
        .query(sql, &[&format!("provider/{id}")])
        .await
        .unwrap();
    rows.iter()
        .map(|row| (row.get(0), serde_json::from_str(row.get(1)).unwrap()))
        .collect()
}

async fn actions(client: &Client, id: &str) -> Vec<String> {
    let noted = noted(client, id).await;
    noted.into_iter().map(|(action, _)| action).collect()
}
