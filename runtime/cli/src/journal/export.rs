//! `handoff journal export`: entries for whoever reads them with another program.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use handoff_engine::ids::ReferralId;
use handoff_store::{Entry, Position, View};
use serde_json::json;

use crate::moment::moment;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Export {
    #[arg(long)]
    data: PathBuf,
    /// Only the entries of this referral
    #[arg(long)]
    referral: Option<ReferralId>,
    /// From this day or moment on
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Before this day or moment
    #[arg(long, value_parser = moment)]
    until: Option<DateTime<Utc>>,
}

impl Export {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let view = View::open(&self.data)?;
        match self.referral {
            Some(referral) => {
                for position in view.index().history(&referral)? {
                    if let Some(entry) = view.read(position)? {
                        self.print(position, &entry)?;
                    }
                }
            }
            None => {
                for entry in view.entries(Position::START) {
                    let (position, entry) = entry?;
                    self.print(position, &entry)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, position: Position, entry: &Entry) -> anyhow::Result<()> {
        if self.from.is_some_and(|from| entry.at < from) || self.until.is_some_and(|until| entry.at >= until) {
            return Ok(());
        }
        print_json(&json!({ "position": position, "entry": entry }))
    }
}
