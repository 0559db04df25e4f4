//! The look into Postgres: what was written, and whether it adds up.

use std::collections::BTreeMap;

use tokio_postgres::{Client, NoTls};

/// How much there is of one player. Any write changes one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    pub version: i64,
    pub ledger: i64,
    pub postings: i64,
    pub events: i64,
    pub rounds: i64,
    pub sessions: i64,
}

pub struct Ledger(pub Client);

impl Ledger {
    pub async fn open(url: &str) -> Self {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        tokio::spawn(connection);
        Self(client)
    }

    /// Runs a statement that takes the player as `$1`.
    pub async fn run(&self, statement: &str, player: &str) -> u64 {
        self.0.execute(statement, &[&player]).await.unwrap()
    }

    /// A number, of a query that takes the player as `$1`.
    pub async fn number(&self, query: &str, player: &str) -> i64 {
        self.0.query_one(query, &[&player]).await.unwrap().get(0)
    }

    pub async fn rows(&self, player: &str) -> Rows {
        let query = "SELECT
            coalesce((SELECT version FROM player WHERE id = $1), -1),
            (SELECT count(*) FROM ledger WHERE player_id = $1),
            (SELECT count(*) FROM posting WHERE player_id = $1),
            (SELECT count(*) FROM event WHERE player_id = $1),
            (SELECT count(*) FROM round WHERE player_id = $1),
            (SELECT count(*) FROM session WHERE player_id = $1)";
        let row = self.0.query_one(query, &[&player]).await.unwrap();
        Rows {
            version: row.get(0),
            ledger: row.get(1),
            postings: row.get(2),
            events: row.get(3),
            rounds: row.get(4),
            sessions: row.get(5),
        }
    }

    /// A digest of each table, of a server that no other test writes to. Not of what the server writes by itself: lanes
    /// that are published and read, the use of a key, and who was refused.
    pub async fn contents(&self) -> BTreeMap<String, String> {
        let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('lane_publisher', 'bus_savepoint', 'event_reader', 'audit_head', 'callback_log')";
        let mut contents = BTreeMap::new();
        for row in self.0.query(tables, &[]).await.unwrap() {
            let table: String = row.get(0);
            let (text, rows) = match table.as_str() {
                "operator_key" => (
                    "(to_jsonb(t) - 'last_used_at' - 'last_used_address')::text",
                    "true",
                ),
                "audit_entry" => ("t.id::text", "t.action <> 'access.failed'"),
                _ => ("t::text", "true"),
            };
            let digest = format!(
                "SELECT count(*) || ' ' || coalesce(md5(string_agg({text}, ',' ORDER BY {text})), '')
                 FROM {table} t WHERE {rows}"
            );
            let digest = self.0.query_one(&digest, &[]).await.unwrap().get(0);
            contents.insert(table, digest);
        }
        contents
    }

    /// Movements under this external id. More than one would be money twice.
    pub async fn movements(&self, player: &str, external_id: &str) -> i64 {
        let query = "SELECT count(*) FROM ledger WHERE player_id = $1 AND external_id = $2 AND state = 'applied'";
        self.0
            .query_one(query, &[&player, &external_id])
            .await
            .unwrap()
            .get(0)
    }

    /// Applied transactions of a kind, by external id, in order.
    pub async fn applied(&self, player: &str, kind: &str) -> Vec<String> {
        let query = "SELECT external_id FROM ledger
            WHERE player_id = $1 AND kind = $2 AND state = 'applied' ORDER BY number";
        let rows = self.0.query(query, &[&player, &kind]).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// The player's cash in ledger units (6 digits for EUR), after the checks of INV-1, INV-2 and INV-7
    /// for this player alone: other tests write to the same database at the same time.
    pub async fn audited_cash(&self, player: &str) -> i64 {
        let unbalanced = "SELECT count(*) FROM (SELECT 1 FROM posting WHERE player_id = $1
            GROUP BY number, currency HAVING sum(amount) <> 0) unbalanced";
        assert_eq!(self.number(unbalanced, player).await, 0, "INV-1 {player}");
        let gaps = "SELECT count(*) - coalesce(max(seq), 0) FROM event WHERE player_id = $1";
        assert_eq!(self.number(gaps, player).await, 0, "INV-7 {player}");
        let of_postings = "SELECT coalesce(sum(amount), 0)::bigint FROM posting
            WHERE player_id = $1 AND account = 'CASH'";
        let balance = "SELECT amount FROM balance WHERE player_id = $1 AND account = 'CASH'";
        let cash = self.number(balance, player).await;
        assert_eq!(
            self.number(of_postings, player).await,
            cash,
            "INV-2 {player}"
        );
        cash
    }

    /// Changes what a player's actor has in memory behind its back; the version makes it read anew.
    pub async fn alter_player(&self, change: &str, player: &str) {
        assert!(
            self.run(change, player).await > 0,
            "nothing changed: {change}"
        );
        self.run(
            "UPDATE player SET version = version + 1 WHERE id = $1",
            player,
        )
        .await;
    }
}
