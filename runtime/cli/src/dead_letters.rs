//! `handoff dead-letters list|show|replay|dismiss`: what waits for a person.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_operations::dead_letters::{DeadGroup, Dismiss, Replay, Show, all, grouped};
use handoff_store::View;
use handoff_store::index::WhatDied;

use crate::asking::Asking;
use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum DeadLetters {
    /// Deliveries that could not be read and letters that could not be carried
    List(List),
    /// A dead delivery's bytes, in clear: for whoever mends it
    Show(Item),
    /// Take a dead delivery in again, or owe a dead letter anew
    Replay(Items),
    /// Lay a dead letter or delivery aside: nothing more is to be done about it
    Dismiss(Items),
}

#[derive(Args)]
pub(crate) struct List {
    #[arg(long)]
    data: PathBuf,
    /// One by one, where those with one fault would be one line
    #[arg(long)]
    each: bool,
    /// One by one, each an object
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

/// One by its name, or all of a kind.
#[derive(Args)]
pub(crate) struct Items {
    /// As `list` names it
    #[arg(required_unless_present = "kind", conflicts_with = "kind")]
    item: Option<String>,
    /// Every delivery of this kind, as `list` has it, such as ORU^R01; or every letter
    #[arg(long, value_name = "KIND|letter")]
    kind: Option<String>,
    #[command(flatten)]
    asking: Asking,
}

impl Items {
    /// What is meant, by name.
    fn named(&self) -> anyhow::Result<Vec<String>> {
        match (&self.item, &self.kind) {
            (Some(item), _) => Ok(vec![item.clone()]),
            (None, kind) => {
                let wanted = kind.as_deref().unwrap_or_default();
                let view = View::open(&self.asking.data_folder()?)?;
                let all = all(view.index())?;
                Ok(all.into_iter().filter(|dead| kind_of(&dead.what) == wanted).map(|dead| dead.item).collect())
            }
        }
    }
}

fn kind_of(what: &WhatDied) -> &str {
    match what {
        WhatDied::Letter { .. } => "letter",
        WhatDied::Delivery { kind, .. } => kind,
    }
}

impl DeadLetters {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            DeadLetters::List(list) => list.run()?,
            DeadLetters::Show(Item { item, asking }) => {
                std::io::stdout().write_all(&asking.ask(Show { item })?.bytes()?)?;
            }
            DeadLetters::Replay(items) => {
                for item in items.named()? {
                    print_json(&items.asking.clone().ask(Replay { item })?)?;
                }
            }
            DeadLetters::Dismiss(items) => {
                for item in items.named()? {
                    items.asking.clone().ask(Dismiss { item: item.clone() })?;
                    say!("{item} is laid aside");
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let items = all(View::open(&self.data)?.index())?;
        if self.json {
            return items.iter().try_for_each(print_json);
        }
        let groups = match self.each {
            true => items.into_iter().map(|item| DeadGroup { count: 1, last: item.at, first: item }).collect(),
            false => grouped(items),
        };
        for DeadGroup { count, first, last } in groups {
            let what = match &first.what {
                WhatDied::Letter { letter, why } => format!("letter {letter}: {why}"),
                WhatDied::Delivery { source, kind, location, message, help } => {
                    format!("delivery from {source} ({kind}), at {location}: {message}\n    help: {help}")
                }
            };
            let more = match count {
                1 => String::new(),
                _ => format!("  the first of {count} until {}", last.format("%Y-%m-%d %H:%M")),
            };
            say!("{}  {}{more}\n    {what}", first.at.format("%Y-%m-%d %H:%M"), first.item);
        }
        Ok(())
    }
}
