//! The audit: recomputes the numbered invariants of `docs/rules.md` from what is stored.
//!
//! Everything is counted inside Postgres, in one snapshot: a running server neither disturbs it nor is
//! disturbed, and memory stays the same however long the ledger is; Postgres sorts on disk what is more than
//! its `work_mem`. Each check is one query that answers one row for each breach, and how much there was to
//! check. Of one player the same queries are asked, by his indexes.

use std::{pin::pin, time::Duration};

use futures_util::{StreamExt, pin_mut};
use pitboss_wallet::{Currency, PlayerId};
use tokio::time::{Instant, interval_at};
use tokio_postgres::{Client, error::SqlState, types::ToSql};

use crate::{
    Store, StoreError,
    connection::{AUDIT, INDEX_SCANS},
    error::chain,
    store::get,
};

/// How many breaches of a check are shown; all are counted.
const EXAMPLES: usize = 10;

/// How often a check that runs says so.
const PROGRESS_EVERY: Duration = Duration::from_secs(2);

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
    /// Number and hash of the newest entry of the audit log, of the moment of the audit; not where it was of one
    /// player. Kept elsewhere, they prove later that nothing up to here was rewritten.
    pub head: Option<(i64, Vec<u8>)>,
}

impl Report {
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.breaches == 0)
    }
}

/// A check that begins, or still runs.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// From 1.
    pub number: usize,
    pub of: usize,
    pub invariant: &'static str,
    pub what: &'static str,
    /// Since the check began.
    pub elapsed: Duration,
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
    /// Whether it can be asked of one player.
    is_of_players: bool,
}

macro_rules! question {
    ($invariant:literal, $what:literal, $file:literal of $counted:literal) => {
        Question {
            invariant: $invariant,
            what: $what,
            count: include_str!(concat!("../queries/audit/", $counted, "_count.sql")),
            breaches: include_str!(concat!("../queries/audit/", $file, ".sql")),
            takes_currencies: false,
            is_of_players: true,
        }
    };
}

const QUESTIONS: &[Question] = &[
    question!(
        "INV-1",
        "postings of a transaction sum to zero per currency",
        "postings_sum_to_zero" of "ledger"
    ),
    question!(
        "INV-2",
        "a balance is the sum of its postings",
        "balance_is_sum" of "balances"
    ),
    question!(
        "INV-2",
        "each posting left the sum of those up to it",
        "balances_after_add_up" of "postings"
    ),
    question!(
        "INV-2",
        "each answer told the balance of its transaction",
        "answers_tell_the_balance" of "answers"
    ),
    question!(
        "INV-3",
        "no player account but RECEIVABLE is owed",
        "nothing_owed" of "postings"
    ),
    question!("INV-3", "no bet touches RECEIVABLE", "no_bet_on_credit" of "bets"),
    question!("INV-4", "one key, one transaction", "one_key_once" of "ledger"),
    question!(
        "INV-4",
        "a transaction moves what it says",
        "moves_what_it_says" of "ledger"
    ),
    question!(
        "INV-4",
        "a provider-wide key belongs to one player",
        "provider_key_owner" of "provider_wide"
    ),
    question!(
        "INV-4",
        "a transaction is taken back once at most",
        "reversed_once" of "reversals"
    ),
    question!(
        "INV-5",
        "what is taken back goes back to where it came from",
        "reversals_mirror" of "reversals"
    ),
    question!(
        "INV-5",
        "a round is what its transactions make of it",
        "rounds_agree" of "rounds"
    ),
    question!(
        "INV-7",
        "a player's events are numbered without a gap",
        "player_events" of "decisions"
    ),
    question!(
        "INV-7",
        "a player's transactions are numbered without a gap",
        "player_transactions" of "players"
    ),
    question!(
        "INV-7",
        "an event tells whose it is, and which",
        "events_tell_themselves" of "events"
    ),
    question!(
        "INV-7",
        "a lane's events are numbered without a gap",
        "lane_events" of "decisions"
    ),
    Question {
        takes_currencies: true,
        ..question!(
            "INV-7",
            "events alone replay to the balances",
            "events_replay" of "events"
        )
    },
    question!(
        "INV-8",
        "only an applied key moves",
        "tombstones_never_move" of "tombstones"
    ),
    question!(
        "INV-9",
        "what is held is what withdrawals hold, and each hold ends once",
        "holds_are_withdrawals" of "payments"
    ),
    Question {
        invariant: "LOG",
        what: "the audit log is the chain that was written",
        count: include_str!("../queries/audit_log_count.sql"),
        breaches: include_str!("../queries/audit_log_chain.sql"),
        takes_currencies: false,
        is_of_players: false,
    },
];

/// Runs every check. `progress` is called before each, and every few seconds while it runs.
///
/// # Errors
/// Why the audit could not be made. A breach is not an error: it is in the report.
pub async fn audit(store: &Store, progress: impl FnMut(Progress)) -> Result<Report, StoreError> {
    run(store, None, progress).await
}

/// Runs every check for one player, in time that depends on his rows alone. `None`: there is no such player.
///
/// # Errors
/// As [`audit`].
pub async fn audit_player(
    store: &Store,
    player: &PlayerId,
    progress: impl FnMut(Progress),
) -> Result<Option<Report>, StoreError> {
    store.check_installed().await?;
    if store.player(player).await?.is_none() {
        return Ok(None);
    }
    run(store, Some(player), progress).await.map(Some)
}

async fn run(
    store: &Store,
    player: Option<&PlayerId>,
    mut progress: impl FnMut(Progress),
) -> Result<Report, StoreError> {
    store.check_installed().await?;
    let client = store.maintenance_client().await?;
    client
        .batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        .await
        .map_err(StoreError::sql("begin the audit"))?;
    let scans = player.map_or(&[][..], |_| INDEX_SCANS);
    for (name, value) in AUDIT.iter().chain(scans) {
        client
            .batch_execute(&format!("SET LOCAL {name} = {value}"))
            .await
            .map_err(StoreError::sql("begin the audit"))?;
    }
    let mut report = Report::default();
    let asked = QUESTIONS
        .iter()
        .filter(|question| player.is_none() || question.is_of_players);
    let of = asked.clone().count();
    for (number, question) in (1..).zip(asked) {
        let start = Instant::now();
        let mut tell = || {
            progress(Progress {
                number,
                of,
                invariant: question.invariant,
                what: question.what,
                elapsed: start.elapsed(),
            });
        };
        tell();
        let mut ticks = interval_at(start + PROGRESS_EVERY, PROGRESS_EVERY);
        let mut asking = pin!(check(&client, question, player));
        let check = loop {
            tokio::select! {
                check = &mut asking => break check?,
                _ = ticks.tick() => tell(),
            }
        };
        report.checks.push(check);
    }
    if player.is_none() {
        report.head = Some(head(&client).await?);
    }
    client
        .batch_execute("COMMIT")
        .await
        .map_err(StoreError::sql("end the audit"))?;
    Ok(report)
}

async fn head(client: &Client) -> Result<(i64, Vec<u8>), StoreError> {
    let sql = include_str!("../queries/audit_head.sql");
    let row = client.query_one(sql, &[]).await;
    let row = row.map_err(StoreError::sql("read the audit log's head"))?;
    Ok((get(&row, "number")?, get(&row, "hash")?))
}

async fn check(
    client: &Client,
    question: &Question,
    player: Option<&PlayerId>,
) -> Result<Check, StoreError> {
    let transaction = async |sql| {
        let done = client.batch_execute(sql).await;
        done.map_err(StoreError::sql(question.what))
    };
    let player = player.map(PlayerId::as_str);
    let row = client
        .query_one(question.count, &[&player])
        .await
        .map_err(StoreError::sql(question.what))?;
    let mut check = Check {
        invariant: question.invariant,
        what: question.what,
        checked: u64::try_from(get::<i64>(&row, "checked")?).map_err(StoreError::corrupt)?,
        breaches: 0,
        examples: Vec::new(),
    };
    transaction("SAVEPOINT before").await?;
    match ask(client, question, player, &mut check).await {
        Ok(()) => transaction("RELEASE before").await?,
        // A stored text that cannot even be read is a breach, and no reason to stop.
        Err(Ended::Unreadable(reason)) => {
            transaction("ROLLBACK TO before").await?;
            check.breach(reason);
        }
        Err(Ended::Failed(error)) => return Err(error),
    }
    Ok(check)
}

impl Check {
    fn breach(&mut self, example: String) {
        self.breaches += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example);
        }
    }
}

/// Why a question was not answered to its end.
enum Ended {
    Unreadable(String),
    Failed(StoreError),
}

async fn ask(
    client: &Client,
    question: &Question,
    player: Option<&str>,
    check: &mut Check,
) -> Result<(), Ended> {
    let failed = |error: tokio_postgres::Error| {
        if error.code().is_some_and(is_data_exception) {
            Ended::Unreadable(chain(&error))
        } else {
            Ended::Failed(StoreError::sql(question.what)(error))
        }
    };
    let codes: Vec<&str> = Currency::all().map(Currency::code).collect();
    let digits: Vec<i32> = Currency::all()
        .map(|currency| i32::try_from(currency.ledger_digits()).unwrap_or(0))
        .collect();
    let mut params: Vec<&(dyn ToSql + Sync)> = vec![&player];
    if question.takes_currencies {
        params.extend([&codes as &(dyn ToSql + Sync), &digits]);
    }
    // Streamed: even if every row were a breach, only the examples are kept.
    let rows = client
        .query_raw(question.breaches, params)
        .await
        .map_err(failed)?;
    pin_mut!(rows);
    while let Some(row) = rows.next().await {
        let row = row.map_err(failed)?;
        check.breach(get(&row, "breach").map_err(Ended::Failed)?);
    }
    Ok(())
}

fn is_data_exception(code: &SqlState) -> bool {
    code.code().starts_with("22")
}
