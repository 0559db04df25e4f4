//! The `pitboss` program.

use std::process::ExitCode;

/// Many small, short-lived allocations on several threads: the system's allocator keeps far more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    pitboss::cli::main()
}
