//! Runtimes, and how a signal ends what runs in them.

use std::future::Future;

use tokio::{
    runtime::{Builder, Runtime},
    signal::unix::{SignalKind, signal},
    task::LocalSet,
};

use crate::error::{Error, Result};

/// One thread, with tasks that need not be `Send`: the driver shares its cores with the server.
pub fn run_local<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = build(&mut Builder::new_current_thread())?;
    let local = LocalSet::new();
    interruptible(&runtime, local.run_until(future))
}

/// So many threads for work that is `Send`; one is this thread itself.
pub fn threaded(threads: u16) -> Result<Runtime> {
    match threads {
        1 => build(&mut Builder::new_current_thread()),
        _ => build(Builder::new_multi_thread().worker_threads(threads.into())),
    }
}

fn build(builder: &mut Builder) -> Result<Runtime> {
    builder
        .enable_all()
        .build()
        .map_err(Error::io("cannot start a runtime"))
}

/// Drops the work at SIGINT or SIGTERM, so that what it started is ended by its destructors.
pub fn interruptible<T>(runtime: &Runtime, future: impl Future<Output = Result<T>>) -> Result<T> {
    runtime.block_on(async {
        let mut terminate =
            signal(SignalKind::terminate()).map_err(Error::io("cannot watch for signals"))?;
        let mut interrupt =
            signal(SignalKind::interrupt()).map_err(Error::io("cannot watch for signals"))?;
        tokio::select! {
            result = future => result,
            _ = terminate.recv() => Err(Error::Interrupted),
            _ = interrupt.recv() => Err(Error::Interrupted),
        }
    })
}
