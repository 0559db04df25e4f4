//! The names of the actors' metrics, in one place. Labels are actor types, messages and reasons; never a
//! player or a transaction.

/// A counter that is looked up once: for what happens with every bet. Its labels are always the same.
macro_rules! hot_counter {
    ($($metric:tt)*) => {{
        static COUNTER: std::sync::LazyLock<::metrics::Counter> =
            std::sync::LazyLock::new(|| ::metrics::counter!($($metric)*));
        &*COUNTER
    }};
}
/// The same for a histogram.
macro_rules! hot_histogram {
    ($($metric:tt)*) => {{
        static HISTOGRAM: std::sync::LazyLock<::metrics::Histogram> =
            std::sync::LazyLock::new(|| ::metrics::histogram!($($metric)*));
        &*HISTOGRAM
    }};
}
pub(crate) use {hot_counter, hot_histogram};

/// Gauge: actors alive, by `actor`.
pub const ACTORS_ALIVE: &str = "pitboss_actors_alive";
/// Gauge: messages accepted and not yet answered, by `actor`.
pub const MAILBOX_DEPTH: &str = "pitboss_actor_mailbox_depth";
/// Counter: messages answered, by `actor` and `message`.
pub const HANDLED: &str = "pitboss_actor_handled_total";
/// Counter: messages refused before any work, by `actor` and `reason`.
pub const REFUSED: &str = "pitboss_actor_refused_total";
/// Counter: actors ended by a panic, by `actor`.
pub const PANICKED: &str = "pitboss_actor_panicked_total";
/// Histogram, seconds: from acceptance to the start of handling, by `actor`.
pub const WAIT_SECONDS: &str = "pitboss_actor_wait_seconds";
/// Histogram, seconds: from the start of handling to the answer, by `actor`.
pub const HANDLE_SECONDS: &str = "pitboss_actor_handle_seconds";
/// Counter: commands decided, by `outcome`: committed, replayed, read, refused.
pub const COMMANDS: &str = "pitboss_commands_total";
/// Counter: repeats that were found, by `found`: cache, ledger.
pub const IDEMPOTENCY: &str = "pitboss_idempotency_total";
/// Counter: commits that found the state stale or a key taken.
pub const STALE: &str = "pitboss_journal_stale_total";
/// Counter: failed commits, by `outcome`: failed, unknown.
pub const COMMIT_ERRORS: &str = "pitboss_journal_errors_total";
/// Histogram: decisions in a commit, by `writer`.
pub const BATCH_SIZE: &str = "pitboss_journal_batch_size";
/// Histogram, seconds: time of a commit, by `writer`.
pub const COMMIT_SECONDS: &str = "pitboss_journal_commit_seconds";
/// Gauge: decisions that wait for a commit or are in one.
pub const JOURNAL_DEPTH: &str = "pitboss_journal_depth";
/// Gauge: decisions whose events are not yet on the bus, by `environment`.
pub const OUTBOX_BACKLOG: &str = "pitboss_outbox_backlog";
/// Gauge, seconds: age of the oldest event not yet on the bus, by `environment`.
pub const OUTBOX_AGE_SECONDS: &str = "pitboss_outbox_age_seconds";
/// Gauge: decisions that the outbox keeps, on the bus or not, by `environment`.
pub const OUTBOX_KEPT: &str = "pitboss_outbox_kept";
/// Gauge, seconds: age of the oldest decision that the outbox keeps, by `environment`.
pub const OUTBOX_KEPT_AGE_SECONDS: &str = "pitboss_outbox_kept_age_seconds";
/// Counter: decisions deleted from the outbox when they were past their time, by `environment`.
pub const TRIMMED: &str = "pitboss_outbox_trimmed_total";
/// Counter: events acknowledged by the bus, by `environment`.
pub const PUBLISHED: &str = "pitboss_bridge_published_total";
/// Counter: of these, events that this node had sent before, by `environment`.
pub const REDELIVERED: &str = "pitboss_bridge_redelivered_total";
/// Counter: times that the bus was found to have lost something, by `environment`.
pub const REWINDS: &str = "pitboss_bridge_rewinds_total";
/// Counter: failed attempts to reach the bus or to publish, by `environment`.
pub const PUBLISH_ERRORS: &str = "pitboss_bridge_errors_total";
/// Gauge: lanes that this node publishes, by `environment`.
pub const LANES_HELD: &str = "pitboss_bridge_lanes";
/// Counter: players taken out of memory because nobody asked for them.
pub const EVICTED: &str = "pitboss_players_evicted_total";
/// Counter: rounds closed because they waited too long.
pub const ROUNDS_SWEPT: &str = "pitboss_rounds_swept_total";
/// Counter: players of whom the sweeper noted that a session's time is over.
pub const SESSIONS_SWEPT: &str = "pitboss_sessions_swept_total";

/// Help texts for the exporter: name, help.
pub const DESCRIPTIONS: &[(&str, &str)] = &[
    (ACTORS_ALIVE, "Actors alive, by type"),
    (
        MAILBOX_DEPTH,
        "Messages accepted and not yet answered, by actor type",
    ),
    (HANDLED, "Messages answered, by actor type and message"),
    (
        REFUSED,
        "Messages refused before any work, by actor type and reason",
    ),
    (PANICKED, "Actors ended by a panic, by actor type"),
    (
        WAIT_SECONDS,
        "Time from acceptance to the start of handling",
    ),
    (
        HANDLE_SECONDS,
        "Time from the start of handling to the answer",
    ),
    (COMMANDS, "Commands decided, by outcome"),
    (IDEMPOTENCY, "Repeats, by where they were found"),
    (STALE, "Commits that found the state stale or a key taken"),
    (COMMIT_ERRORS, "Failed commits, by outcome"),
    (BATCH_SIZE, "Decisions in a commit"),
    (COMMIT_SECONDS, "Time of a commit"),
    (
        JOURNAL_DEPTH,
        "Decisions that wait for a commit or are in one",
    ),
    (
        OUTBOX_BACKLOG,
        "Decisions whose events are not yet on the bus",
    ),
    (
        OUTBOX_AGE_SECONDS,
        "Age of the oldest event not yet on the bus",
    ),
    (
        OUTBOX_KEPT,
        "Decisions that the outbox keeps, on the bus or not",
    ),
    (
        OUTBOX_KEPT_AGE_SECONDS,
        "Age of the oldest decision that the outbox keeps",
    ),
    (TRIMMED, "Decisions deleted from the outbox past their time"),
    (PUBLISHED, "Events acknowledged by the bus"),
    (
        REDELIVERED,
        "Events acknowledged that this node had sent before",
    ),
    (
        REWINDS,
        "Times that the bus was found to have lost something",
    ),
    (
        PUBLISH_ERRORS,
        "Failed attempts to reach the bus or to publish",
    ),
    (LANES_HELD, "Lanes that this node publishes"),
    (
        EVICTED,
        "Players taken out of memory because nobody asked for them",
    ),
    (ROUNDS_SWEPT, "Rounds closed because they waited too long"),
    (
        SESSIONS_SWEPT,
        "Players of whom it was noted that a session's time is over",
    ),
];

/// Counts an actor type's living members: up when made, down when dropped, and notes a drop by panic.
#[derive(Debug)]
pub struct Alive(&'static str);

impl Alive {
    #[must_use]
    pub fn new(actor: &'static str) -> Self {
        metrics::gauge!(ACTORS_ALIVE, "actor" => actor).increment(1.0);
        Self(actor)
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        metrics::gauge!(ACTORS_ALIVE, "actor" => self.0).decrement(1.0);
        if std::thread::panicking() {
            metrics::counter!(PANICKED, "actor" => self.0).increment(1);
        }
    }
}
