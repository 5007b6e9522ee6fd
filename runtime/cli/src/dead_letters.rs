//! `handoff dead-letters list|show|replay|dismiss`: what waits for a person.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_operations::dead_letters::{Dismiss, Replay, Show};
use handoff_store::index::{DeadItem, PAGE_MAX, WhatDied};
use handoff_store::{Index, Position, View};

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
                let all = all_dead(view.index())?;
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

/// Page after page: a list that ends where a page does is a list of what nobody will ever see.
fn all_dead(index: &dyn Index) -> anyhow::Result<Vec<DeadItem>> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let page = index.dead_letters(after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.position;
        all.extend(page);
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
        for dead in all_dead(View::open(&self.data)?.index())? {
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
