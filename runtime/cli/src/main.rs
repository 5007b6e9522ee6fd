//! The binary `handoff`: parses, builds, runs, returns an exit code.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let arguments = match handoff::Cli::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return handoff::misread(&error),
    };
    match handoff::run(arguments) {
        Ok(code) => code,
        Err(error) if handoff::unread(&error) => ExitCode::SUCCESS,
        Err(error) => {
            handoff::report(&error);
            ExitCode::FAILURE
        }
    }
}
