//! The audit: recomputes the numbered invariants of `docs/rules.md` from what is stored.
//!
//! Everything is counted inside Postgres, in one snapshot: a running server neither disturbs it nor is
//! disturbed, and memory stays the same however long the ledger is. Each check is one query that answers one
//! row for each breach, and how much there was to check.

use futures_util::{StreamExt, pin_mut};
use pitboss_wallet::Currency;
use tokio_postgres::{Client, types::ToSql};

use crate::{Store, StoreError, store::get};

/// How many breaches of a check are shown; all are counted.
const EXAMPLES: usize = 10;

/// One check and what it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// As in `docs/rules.md`: `INV-1`.
    pub invariant: &'static str,
    pub what: &'static str,
    /// How many rows or groups were checked.
    pub checked: u64,
    pub breaches: u64,
    /// The first breaches, in words.
    pub examples: Vec<String>,
}

/// What the audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    pub checks: Vec<Check>,
}

impl Report {
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.breaches == 0)
    }
}

/// A check that is about to run.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// From 1.
    pub number: usize,
    pub of: usize,
    pub invariant: &'static str,
    pub what: &'static str,
}

struct Question {
    invariant: &'static str,
    what: &'static str,
    /// Answers one number.
    count: &'static str,
    /// Answers one text per breach.
    breaches: &'static str,
    /// Whether it takes the currencies and their digits as parameters.
    takes_currencies: bool,
}

macro_rules! question {
    ($invariant:literal, $what:literal, $file:literal) => {
        Question {
            invariant: $invariant,
            what: $what,
            count: include_str!(concat!("../queries/audit/", $file, "_count.sql")),
            breaches: include_str!(concat!("../queries/audit/", $file, ".sql")),
            takes_currencies: false,
        }
    };
}

const QUESTIONS: &[Question] = &[
    question!(
        "INV-1",
        "postings of a transaction sum to zero per currency",
        "postings_sum_to_zero"
    ),
    question!(
        "INV-2",
        "a balance is the sum of its postings",
        "balance_is_sum"
    ),
    question!(
        "INV-2",
        "a balance is what its newest posting left",
        "balance_is_newest"
    ),
    question!(
        "INV-3",
        "no player account but RECEIVABLE is owed",
        "nothing_owed"
    ),
    question!("INV-3", "no bet touches RECEIVABLE", "no_bet_on_credit"),
    question!("INV-4", "one key, one transaction", "one_key_once"),
    question!(
        "INV-4",
        "a provider-wide key belongs to one player",
        "provider_key_owner"
    ),
    question!(
        "INV-4",
        "a transaction is taken back once at most",
        "reversed_once"
    ),
    question!(
        "INV-7",
        "a player's events are numbered without a gap",
        "player_events"
    ),
    question!(
        "INV-7",
        "a player's transactions are numbered without a gap",
        "player_transactions"
    ),
    question!(
        "INV-7",
        "a lane's events are numbered without a gap",
        "lane_events"
    ),
    Question {
        takes_currencies: true,
        ..question!(
            "INV-7",
            "the newest event that tells a balance tells the balance",
            "events_replay"
        )
    },
    question!(
        "INV-8",
        "only an applied key moves",
        "tombstones_never_move"
    ),
];

/// Runs every check. `progress` is called before each.
///
/// # Errors
/// Why the audit could not be made. A breach is not an error: it is in the report.
pub async fn audit(
    store: &Store,
    mut progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    store.check_installed().await?;
    let client = store.maintenance_client().await?;
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(StoreError::sql("begin the audit"))?;
    let mut report = Report::default();
    for (number, question) in (1..).zip(QUESTIONS) {
        progress(Progress {
            number,
            of: QUESTIONS.len(),
            invariant: question.invariant,
            what: question.what,
        });
        report.checks.push(ask(&client, question).await?);
    }
    client
        .batch_execute("COMMIT")
        .await
        .map_err(StoreError::sql("end the audit"))?;
    Ok(report)
}

async fn ask(client: &Client, question: &Question) -> Result<Check, StoreError> {
    let row = client
        .query_one(question.count, &[])
        .await
        .map_err(StoreError::sql(question.what))?;
    let checked = u64::try_from(get::<i64>(&row, "checked")?).map_err(StoreError::corrupt)?;
    let codes: Vec<&str> = Currency::all().map(Currency::code).collect();
    let digits: Vec<i32> = Currency::all()
        .map(|currency| i32::try_from(currency.ledger_digits()).unwrap_or(0))
        .collect();
    let mut params: Vec<&(dyn ToSql + Sync)> = Vec::new();
    if question.takes_currencies {
        params = vec![&codes, &digits];
    }
    // Streamed: even if every row were a breach, only the examples are kept.
    let rows = client
        .query_raw(question.breaches, params)
        .await
        .map_err(StoreError::sql(question.what))?;
    pin_mut!(rows);
    let mut breaches = 0;
    let mut examples = Vec::new();
    while let Some(row) = rows.next().await {
        let row = row.map_err(StoreError::sql(question.what))?;
        breaches += 1;
        if examples.len() < EXAMPLES {
            examples.push(get(&row, "breach")?);
        }
    }
    Ok(Check {
        invariant: question.invariant,
        what: question.what,
        checked,
        breaches,
        examples,
    })
}
