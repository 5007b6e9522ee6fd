//! The binary `handoff`: parses, builds, runs, returns an exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = handoff::cli::Cli::parse();
    match handoff::cli::run(arguments) {
        Ok(code) => code,
        Err(error) if handoff::cli::unread(&error) => ExitCode::SUCCESS,
        Err(error) => {
            handoff::cli::report(&error);
            ExitCode::FAILURE
        }
    }
}
