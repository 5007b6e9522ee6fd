//! How the command line tells an error: one form, a code in each. `handoff explain CODE` says the rest.

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;
use handoff_engine::error_code::{Coded, ErrorCode};
use handoff_instance::error_report::{ErrorReport, Named};
use handoff_operations::reports::cms50::PeriodError;
use handoff_rehearsal::practice_file::PracticeFileError;
use handoff_rehearsal::script::Unrehearsable;

use crate::measure::BundleFileError;

/// Prints an error: what is wrong and what caused it, where, and the cure. The one place where that is done.
pub fn report(error: &anyhow::Error) {
    eprintln!("{}", reported(error));
}

/// An error in its printed form.
pub fn reported(error: &anyhow::Error) -> ErrorReport {
    ErrorReport::of(error, ours)
}

/// What only the command line can meet: an instance neither rehearses nor reads bundles.
fn ours(error: &(dyn Error + 'static)) -> Option<Named> {
    fn named<E: Coded + Error + 'static>(error: &(dyn Error + 'static)) -> Option<Named> {
        error.downcast_ref::<E>().map(|error| (error.code(), error.place()))
    }
    let rehearsed = named::<PracticeFileError>(error).or_else(|| named::<Unrehearsable>(error));
    rehearsed.or_else(|| named::<PeriodError>(error)).or_else(|| named::<BundleFileError>(error))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "clap's other kinds are all errors")]
/// Prints what is wrong with the command's words, or the help or version that they ask for.
pub fn misread(error: &clap::Error) -> ExitCode {
    let text = error.render();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A reader that has gone away needs no help.
            drop(error.print());
        }
        _ => {
            drop(writeln!(std::io::stderr(), "{}", misread_report(&text.to_string())));
        }
    }
    u8::try_from(error.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// Clap ends the first paragraph where its tips and the usage begin.
fn misread_report(text: &str) -> ErrorReport {
    let text = text.strip_prefix("error: ").unwrap_or(text);
    let (what, cure) = text.split_once("\n\n").unwrap_or((text, ""));
    let lines = cure.lines().map(|line| line.trim_start().trim_start_matches("tip: "));
    let help: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
    ErrorReport {
        code: ErrorCode::COMMAND_LINE,
        what: what.trim_end().to_string(),
        place: None,
        help: help.join("\n"),
        more: Vec::new(),
    }
}

#[cfg(test)]
mod tests;
