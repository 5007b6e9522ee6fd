//! The command line: one file per command. `--json` wherever a program would read along.

#![forbid(unsafe_code)]

/// Prints a line. A reader that has gone away is an error to stop at, not to panic at.
macro_rules! say {
    ($($told:tt)*) => {
        writeln!(std::io::stdout(), $($told)*)?
    };
}

mod act;
mod api;
mod asking;
mod backup;
mod dead_letters;
mod demo;
mod disclosures;
mod doctor;
mod evidence;
mod explain;
mod hold;
mod init;
mod journal;
mod keys;
mod measure;
mod moment;
mod parse;
mod pauses;
mod people;
mod plugin;
mod purge;
mod referrals;
mod rehearse;
mod report;
mod serve;
mod tasks;
mod unmatched;
mod workflow;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use ed25519_dalek::VerifyingKey;
use ed25519_dalek::pkcs8::DecodePublicKey as _;
use handoff_engine::error_code::{ErrorCode, Failure};

pub use report::{misread, report};

/// Closes the loop on patient referrals.
#[derive(Parser)]
#[command(name = "handoff", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Write a commented configuration, keys, the referral workflow and the bundled plugins into a folder
    Init(init::Init),
    /// Run on a configuration: take orders in, carry letters out
    Serve(serve::Serve),
    /// Fifty referrals over thirty simulated days, on real sockets
    Demo(demo::Demo),
    /// What a workflow would do for a practice like yours in a year, and whether another would do better
    Rehearse(rehearse::Rehearse),
    /// List referrals, or show one's timeline
    #[command(subcommand)]
    Referrals(referrals::Referrals),
    /// Do something to a referral: log a call, record an appointment, close it
    Act(act::Act),
    /// What people were asked to do
    #[command(subcommand)]
    Tasks(tasks::Tasks),
    /// Deliveries and letters that wait for a person
    #[command(subcommand)]
    DeadLetters(dead_letters::DeadLetters),
    /// Messages that were taken and mean no referral for sure
    #[command(subcommand)]
    Unmatched(unmatched::Unmatched),
    /// Check a workflow and play its scenarios
    #[command(subcommand)]
    Workflow(workflow::Workflow),
    /// Make, look into, test and exchange plugins
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Read an HL7 message through the trigger plugin and print what it means
    Parse(parse::Parse),
    /// Prove, search and export the journal
    #[command(subcommand)]
    Journal(journal::Journal),
    /// Write a pack that proves what became of a referral; `handoff-verify` checks it offline
    Evidence(evidence::Evidence),
    /// Copy an instance, running or not, to a new folder
    Backup(backup::Backup),
    /// Prove a backup and make a data folder of it
    Restore(backup::Restore),
    /// Practise a restore, and have it signed how many minutes it took
    Drill(backup::Drill),
    /// Referrals under legal hold
    #[command(subcommand)]
    Hold(hold::Hold),
    Pause(pauses::Pause),
    Resume(pauses::Resume),
    Pauses(pauses::Pauses),
    GoLive(pauses::GoLive),
    /// Forget what is older than the retention that the configuration sets
    Purge(purge::Purge),
    /// Change Handoff's own keys
    #[command(subcommand)]
    Keys(keys::Keys),
    /// What can be asked over HTTP
    #[command(subcommand)]
    Api(api::Api),
    /// Who may sign in over HTTP, and as what
    #[command(subcommand)]
    People(people::People),
    /// What of a patient left Handoff, when, to whom, under which agreement and why
    Disclosures(disclosures::Disclosures),
    /// Quality measures, over the journal or over FHIR bundles
    #[command(subcommand)]
    Measure(measure::Measure),
    /// Check configuration, keys, endpoints and clock
    Doctor(doctor::Doctor),
    /// What an error's code means, how it comes about and how to mend it; all codes without one
    Explain(explain::Explain),
}

/// # Errors
/// What went wrong, as a chain; [`report`] prints it in its one form.
pub fn run(cli: Cli) -> anyhow::Result<ExitCode> {
    match cli.command {
        Command::Init(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Demo(command) => command.run(),
        Command::Rehearse(command) => command.run(),
        Command::Referrals(command) => command.run(),
        Command::Act(command) => command.run(),
        Command::Tasks(command) => command.run(),
        Command::DeadLetters(command) => command.run(),
        Command::Unmatched(command) => command.run(),
        Command::Workflow(command) => command.run(),
        Command::Plugin(command) => command.run(),
        Command::Parse(command) => command.run(),
        Command::Journal(command) => command.run(),
        Command::Evidence(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Drill(command) => command.run(),
        Command::Hold(command) => command.run(),
        Command::Pause(command) => command.run(),
        Command::Resume(command) => command.run(),
        Command::Pauses(command) => command.run(),
        Command::GoLive(command) => command.run(),
        Command::Purge(command) => command.run(),
        Command::Keys(command) => command.run(),
        Command::Api(command) => command.run(),
        Command::People(command) => command.run(),
        Command::Disclosures(command) => command.run(),
        Command::Measure(command) => command.run(),
        Command::Doctor(command) => command.run(),
        Command::Explain(command) => command.run(),
    }
}

/// Prints a value as one line of JSON.
fn print_json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    say!("{}", serde_json::to_string(value)?);
    Ok(())
}

/// A public key as `handoff init` writes it.
fn public_key(path: &Path) -> anyhow::Result<VerifyingKey> {
    let unusable = |text: String| Failure::new(ErrorCode::PUBLIC_KEY, text);
    let pem = std::fs::read_to_string(path).with_context(|| unusable(format!("cannot read {}", path.display())))?;
    VerifyingKey::from_public_key_pem(&pem)
        .map_err(|_| unusable(format!("{} is not an Ed25519 public key in PEM", path.display())).into())
}

/// Whether an error is only that nobody reads on: `handoff journal export | head`.
pub fn unread(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
}
