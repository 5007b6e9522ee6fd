//! `handoff purge`: forget what is older than the retention that the configuration sets.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use handoff_operations::retention;

use crate::asking::Asking;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Purge {
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

impl Purge {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let purged = self.asking.ask(retention::RunPurge {})?;
        if self.json {
            print_json(&purged)?;
            return Ok(ExitCode::SUCCESS);
        }
        let before = purged.before.format("%Y-%m-%d");
        match purged.segments.len() {
            0 => say!("nothing to forget before {before}: what is older is under way, held, or waits for a person"),
            segments => say!(
                "forgot {} entries before {before} in {segments} segment(s), whose seals remain; {} kept anew",
                purged.entries,
                purged.carried
            ),
        }
        if purged.held > 0 {
            say!("{} referral(s) under legal hold", purged.held);
        }
        Ok(ExitCode::SUCCESS)
    }
}
