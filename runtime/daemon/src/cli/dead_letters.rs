//! `handoff dead-letters list|show|replay`: what waits for a person.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use handoff_engine::ids::{PatientId, Token};
use handoff_store::index::{PAGE_MAX, WhatDied};
use handoff_store::{Record, Sealed, View};

use super::print_json;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::house::Plan;
use crate::vault::{Lookup, Vault};

#[derive(Subcommand)]
pub enum DeadLetters {
    /// Deliveries that could not be read and letters that could not be carried
    List(List),
    /// A dead delivery's bytes, in clear: for whoever mends it
    Show(Item),
    /// Take a dead delivery in again. The daemon must not be running
    Replay(Item),
}

#[derive(Args)]
pub struct List {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub struct Item {
    /// As `list` names it
    item: String,
    #[arg(long, default_value = "handoff.yaml")]
    config: PathBuf,
}

impl DeadLetters {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            DeadLetters::List(list) => list.run(),
            DeadLetters::Show(item) => item.show(),
            DeadLetters::Replay(item) => item.replay(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<ExitCode> {
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
        Ok(ExitCode::SUCCESS)
    }
}

impl Item {
    fn show(self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let view = View::open(&config.data)?;
        let bytes = self.delivery(&view)?;
        let plan = Plan::from_config(&config, Arc::new(SystemClock))?;
        let lookup = Sight(&view);
        let vault = Vault::open(&config.data, plan.master, plan.dice, view.index().key_slots_taken()?)?;
        std::io::stdout().write_all(vault.reveal_bytes(&bytes, &lookup)?.as_slice())?;
        Ok(ExitCode::SUCCESS)
    }

    fn replay(self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let line = Plan::from_config(&config, Arc::new(SystemClock))?.build()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let verdict = runtime.block_on(line.replay(&self.item, &whoami()))?;
        print_json(&verdict)?;
        Ok(ExitCode::SUCCESS)
    }

    /// The token of the delivery's bytes.
    fn delivery(&self, view: &View) -> anyhow::Result<Token> {
        let dead = view.index().dead_letters(PAGE_MAX)?;
        let found = dead.iter().find(|dead| dead.item == self.item);
        let found = found.ok_or_else(|| anyhow!("{} is not in the dead-letter list", self.item))?;
        let entry = view.read(found.position)?.ok_or_else(|| anyhow!("its entry has been purged"))?;
        let token = entry.records.iter().find_map(|record| match record {
            Record::Delivery { digest, bytes, .. } if digest.to_string() == self.item => bytes.clone(),
            _ => None,
        });
        token
            .ok_or_else(|| anyhow!("{} is a letter, not a delivery; `handoff referrals show` has its story", self.item))
    }
}

/// Who is at the keyboard, for the journal.
fn whoami() -> String {
    std::env::var("USER").unwrap_or_else(|_| "operator".into())
}

struct Sight<'a>(&'a View);

impl Lookup for Sight<'_> {
    fn sealed(&self, token: &Token) -> Option<Sealed> {
        self.0.index().sealed(token).ok()?
    }

    fn slot(&self, patient: &PatientId) -> Option<u64> {
        self.0.index().key_slot(patient).ok()?
    }
}
