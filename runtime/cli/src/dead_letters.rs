//! `handoff dead-letters list|show|replay|dismiss`: what waits for a person.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_operations::dead_letters::{Dismiss, Replay, Show};
use handoff_store::View;
use handoff_store::index::{PAGE_MAX, WhatDied};

use crate::asking::Asking;
use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum DeadLetters {
    /// Deliveries that could not be read and letters that could not be carried
    List(List),
    /// A dead delivery's bytes, in clear: for whoever mends it
    Show(Item),
    /// Take a dead delivery in again, or owe a dead letter anew
    Replay(Item),
    /// Lay a dead letter or delivery aside: nothing more is to be done about it
    Dismiss(Item),
}

#[derive(Args)]
pub(crate) struct List {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct Item {
    /// As `list` names it
    item: String,
    #[command(flatten)]
    asking: Asking,
}

impl DeadLetters {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            DeadLetters::List(list) => list.run()?,
            DeadLetters::Show(Item { item, asking }) => {
                std::io::stdout().write_all(&asking.ask(Show { item })?.bytes()?)?;
            }
            DeadLetters::Replay(Item { item, asking }) => print_json(&asking.ask(Replay { item })?)?,
            DeadLetters::Dismiss(Item { item, asking }) => {
                asking.ask(Dismiss { item: item.clone() })?;
                say!("{item} is laid aside");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        for dead in View::open(&self.data)?.index().dead_letters(PAGE_MAX)? {
            if self.json {
                print_json(&dead)?;
                continue;
            }
            let what = match &dead.what {
                WhatDied::Letter { letter, why } => format!("letter {letter}: {why}"),
                WhatDied::Delivery { source, kind, location, message, help } => {
                    format!("delivery from {source} ({kind}), at {location}: {message}\n    help: {help}")
                }
            };
            say!("{}  {}\n    {what}", dead.at.format("%Y-%m-%d %H:%M"), dead.item);
        }
        Ok(())
    }
}
