//! `handoff journal`: the journal by itself, beside a running instance or without one.

mod export;
mod replay;
mod search;
mod stats;
mod verify;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum Journal {
    /// Check every byte, link and signature; needs the public key and nothing else
    Verify(verify::Verify),
    /// Find entries by referral, token, specialist, day and type
    Search(search::Search),
    /// Entries as lines of JSON. Tokens and sealed bytes only
    Export(export::Export),
    /// Run every recorded plugin decision again and compare the answers
    Replay(replay::Replay),
    /// Build the index anew from the journal. Handoff must not be running
    Reindex(Reindex),
    /// How much there is of what
    Stats(stats::Stats),
}

#[derive(Args)]
pub(crate) struct Reindex {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    json: bool,
}

impl Journal {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Journal::Verify(verify) => verify.run(),
            Journal::Search(search) => search.run(),
            Journal::Export(export) => export.run(),
            Journal::Replay(replay) => replay.run(),
            Journal::Reindex(reindex) => reindex.run(),
            Journal::Stats(stats) => stats.run(),
        }
    }
}

impl Reindex {
    fn run(self) -> anyhow::Result<ExitCode> {
        let done = handoff_store::store::reindex(&self.data)?;
        match self.json {
            true => print_json(&serde_json::json!({ "entries": done.entries, "seconds": done.took.as_secs_f64() }))?,
            false => say!("the index holds {} entries again, after {:.1} s", done.entries, done.took.as_secs_f64()),
        }
        Ok(ExitCode::SUCCESS)
    }
}
