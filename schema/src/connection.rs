//! How sessions are set up: one place for every setting that plans and time-outs depend on.

use std::{fmt::Write, str::FromStr, time::Duration};

use tokio_postgres::Config;

use crate::{StoreError, StoreOptions};

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Short reads and small writes, from the pool.
    Pool,
    /// The commit statement.
    Writer,
    /// Migrations and the audit: as long as they take, with the planner's own choices.
    Maintenance,
    /// Reports: within time-outs of their own, with the planner's own choices.
    Report,
}

/// What is asked of one player is looked up by an index, however small the tables are.
pub(crate) const INDEX_SCANS: &[(&str, &str)] = &[
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// A page of a list is read in the order of an index: a bitmap would read all of the list, to be sorted.
const IN_ORDER: &[(&str, &str)] = &[("enable_bitmapscan", "off")];

/// And planned once: with sequential scans and hash joins, a plan that was made while the tables were small would be
/// kept, and get slower with every row.
const PLANNED_ONCE: &[(&str, &str)] = &[("plan_cache_mode", "force_generic_plan"), ("jit", "off")];

/// The audit reads all there is beside a running server: in one process, within this memory for each step of a
/// plan, and with the rest on disk. Planned for its parameters: that of no player is no condition.
pub(crate) const AUDIT: &[(&str, &str)] = &[
    ("work_mem", "'64MB'"),
    ("hash_mem_multiplier", "1"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "off"),
];

/// A report reads much beside a running server, in one process, and is planned for its parameters: a day is not a year,
/// and a filter that is not set is no condition.
const REPORT: &[(&str, &str)] = &[
    ("hash_mem_multiplier", "1"),
    ("max_parallel_workers_per_gather", "0"),
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "off"),
];

/// The address with our session settings added.
pub(crate) fn config(
    url: &str,
    options: &StoreOptions,
    purpose: Purpose,
) -> Result<Config, StoreError> {
    // The error of a bad address can repeat it, password included: only its cause is told.
    let mut config = Config::from_str(url).map_err(|error| {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        StoreError::Address(cause.unwrap_or_else(|| "not a connection string".to_owned()))
    })?;
    let name = match purpose {
        Purpose::Pool => options.application_name.clone(),
        Purpose::Writer => format!("{} writer", options.application_name),
        Purpose::Maintenance => format!("{} maintenance", options.application_name),
        Purpose::Report => format!("{} report", options.application_name),
    };
    let mut settings = config.get_options().unwrap_or_default().to_owned();
    let mut set = |name: &str, value: &str| {
        let _ = write!(settings, " -c {name}={value}");
    };
    // An answer is sent only for what is on disk, whatever the server's default is.
    set("synchronous_commit", "on");
    set("timezone", "UTC");
    if purpose == Purpose::Report {
        for (name, value) in REPORT {
            set(name, value);
        }
        set("lock_timeout", &millis(options.lock_timeout));
    }
    if matches!(purpose, Purpose::Pool | Purpose::Writer) {
        set("statement_timeout", &millis(options.statement_timeout));
        set("lock_timeout", &millis(options.lock_timeout));
        set(
            "idle_in_transaction_session_timeout",
            &millis(options.answer_timeout),
        );
        for (name, value) in INDEX_SCANS.iter().chain(PLANNED_ONCE) {
            set(name, value);
        }
        if purpose == Purpose::Pool {
            for (name, value) in IN_ORDER {
                set(name, value);
            }
        }
    }
    config
        .options(settings)
        .application_name(name)
        .connect_timeout(options.connect_timeout)
        .keepalives(true)
        .keepalives_idle(Duration::from_secs(15))
        .keepalives_interval(Duration::from_secs(5))
        .keepalives_retries(3)
        .tcp_user_timeout(options.answer_timeout);
    Ok(config)
}

fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(purpose: Purpose) -> String {
        let url = "postgres://u:p@localhost/d?options=-c%20work_mem%3D8MB";
        let config = config(url, &StoreOptions::default(), purpose).unwrap();
        config.get_options().unwrap().to_owned()
    }

    #[test]
    fn a_writers_plans_and_promise_do_not_depend_on_the_servers_settings() {
        let settings = settings(Purpose::Writer);
        for wanted in [
            "-c synchronous_commit=on",
            "-c enable_seqscan=off",
            "-c enable_hashjoin=off",
            "-c enable_mergejoin=off",
            "-c plan_cache_mode=force_generic_plan",
            "-c jit=off",
            "-c statement_timeout=5000",
            "-c lock_timeout=2000",
            "-c work_mem=8MB",
        ] {
            assert!(settings.contains(wanted), "{wanted} not in {settings}");
        }
    }

    #[test]
    fn maintenance_is_neither_hurried_nor_kept_from_its_plans() {
        let settings = settings(Purpose::Maintenance);
        assert!(!settings.contains("timeout"), "{settings}");
        assert!(!settings.contains("enable_"), "{settings}");
    }

    #[test]
    fn a_bad_address_is_not_repeated_in_its_error() {
        let error = config(
            "postgres://user:secret@host:notaport/db",
            &StoreOptions::default(),
            Purpose::Pool,
        );
        let text = error.unwrap_err().to_string();
        assert!(!text.contains("secret"), "{text}");
    }
}
