//! A private Postgres and a private nats-server as child processes.
//!
//! For the sandbox, the black-box tests and the load generator: everything that needs the real
//! services without a container engine and without touching what the machine already runs. Linux
//! only. Nothing of the casino lives here, and the crate depends on none of the others.
//!
//! ```no_run
//! # async fn demo() -> Result<(), pitboss_services::ServiceError> {
//! use pitboss_services::{Postgres, PostgresOptions, ScratchDir};
//! let scratch = ScratchDir::new("demo")?;
//! let mut postgres = Postgres::start(PostgresOptions::new(scratch.join("postgres"))).await?;
//! postgres.create_database("casino").await?;
//! println!("{}", postgres.url("casino"));
//! postgres.stop().await;
//! # Ok(()) }
//! ```
//!
//! # No process is left behind
//!
//! Four nets, each for a case the one before it cannot catch:
//!
//! 1. `stop()` asks politely, waits a bounded time and then kills (`process.rs`).
//! 2. `Drop` does the same, so a failed test or an early return cleans up.
//! 3. A parent that is killed with -9 runs no code at all. The kernel signals the children
//!    instead (`PR_SET_PDEATHSIG`), which `setpriv --pdeathsig` from util-linux sets, so that we
//!    need no unsafe code. The setting is bound to the *thread* that spawned the child: all
//!    children are therefore spawned by one thread that lives as long as the process. It is also
//!    lost when credentials change, so `setpriv` drops root first and sets it last.
//! 4. Where `setpriv` is missing, or the parent died in the millisecond before it ran, the next
//!    start on the same data folder ends what is left (`leftovers.rs`). It looks for processes by
//!    working directory (device and inode) and program name rather than trusting a pid file: a
//!    pid is reused, and no pid file can be written in the same instant as the fork.
//!
//! Children get a process group of their own. Ctrl-C in a terminal signals a whole group, and
//! the server must be able to finish its writes before its database goes.
//!
//! # Started as root
//!
//! Postgres refuses to run as root, so the cluster then belongs to `postgres` (or `nobody`) and
//! the server is started as that user. Only the `cluster` folder is handed over; log, password
//! and port file stay ours. When that user cannot reach the data folder (a checkout under
//! `/root`), the cluster is placed under `/var/lib` and `cluster` becomes a symlink to it.
//! [`remove_data`] follows that link; a plain `rm -r` does not.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic))]

mod account;
mod binaries;
mod cluster;
mod data_dir;
mod error;
mod leftovers;
mod nats;
mod nats_accounts;
mod port;
mod postgres;
mod process;
mod remove;
mod scratch;
mod server;

pub use error::ServiceError;
pub use nats::{Nats, NatsOptions};
pub use nats_accounts::{NatsAccount, NatsGuest, NatsRequest, nats_accounts};
pub use port::free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use remove::remove_data;
pub use scratch::ScratchDir;
