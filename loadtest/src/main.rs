//! Load driver, baselines and their audit, against a running sandbox.
//!
//! It knows the server as a provider and an operator do: over HTTP, with a signature and a key. Only the audit
//! looks into Postgres, because it must not take the server's word. It does not depend on the server.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod audit;
mod baseline;
mod bets;
mod cli;
mod clock;
mod compare;
mod database;
mod error;
mod faults;
mod http;
mod memory;
mod metrics;
mod operator;
mod players;
mod process;
mod random;
mod reads;
mod runtime;
mod sandbox;
mod sign;
mod sockets;
mod stats;
#[cfg(test)]
mod stub;
mod target;

use std::{fs, process::ExitCode};

use clap::Parser;
use serde::Serialize;

use cli::{Cli, Command, JsonOption};
use error::{Error, Result};
use target::Target;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Cli::parse().command) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("loadtest: {error}");
            ExitCode::from(match error {
                Error::Interrupted => 130,
                _ => 2,
            })
        }
    }
}

/// `false`: it ran, and something is not as it should be.
fn run(command: &Command) -> Result<bool> {
    match command {
        Command::Bets(command) => {
            let target = Target::read(&command.target.connection)?;
            let report = runtime::run_local(async {
                let mut report = bets::run(&target, &command.options).await?;
                if !command.options.no_audit {
                    report.invariants = Some(audit::invariants(&target.postgres).await?);
                }
                Ok(report)
            })?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.passed())
        }
        Command::Baseline(command) => {
            let target = Target::read(&command.target.connection)?;
            let report = baseline::run(&target, &command.options)?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.agrees)
        }
        Command::Compare(command) => {
            let report = compare::run(command)?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.passed())
        }
        Command::Faults(command) => {
            let report = faults::run(&command.options)?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.passed())
        }
        Command::Sockets(command) => {
            let report = sockets::run(command)?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.passed())
        }
        Command::Reads(command) => {
            let target = Target::read(&command.target.connection)?;
            let report = runtime::run_local(reads::run(&target, &command.options))?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.passed())
        }
        Command::Memory(command) => {
            let report = memory::run(command)?;
            println!("{report}");
            write_json(&command.json, &report)?;
            Ok(report.passed())
        }
    }
}

fn write_json(option: &JsonOption, report: &impl Serialize) -> Result<()> {
    let Some(path) = &option.json else {
        return Ok(());
    };
    let mut text = serde_json::to_string_pretty(report)
        .map_err(|error| Error::given(format!("cannot write the report as JSON: {error}")))?;
    text.push('\n');
    fs::write(path, text).map_err(Error::io(format!("cannot write {}", path.display())))
}
