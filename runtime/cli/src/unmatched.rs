//! `handoff unmatched list|show|assign|dismiss`: what was taken and surely means no referral.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_engine::ids::ReferralId;
use handoff_operations::unmatched::{Assign, DismissUnmatched, ShowUnmatched};
use handoff_store::index::{PAGE_MAX, UnmatchedItem};
use handoff_store::{Index, Position, View};

use crate::asking::Asking;
use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum Unmatched {
    /// Appointments, notes and withdrawals that wait for their referral, or for a person to say which it is
    List(ListUnmatched),
    /// The message itself, in clear: to see whom it means
    Show(OneUnmatched),
    /// Say which referral a message means; it is applied there
    Assign(AssignUnmatched),
    /// Lay a message aside: it is no concern of the practice's
    Dismiss(OneUnmatched),
}

#[derive(Args)]
pub(crate) struct ListUnmatched {
    #[arg(long)]
    data: PathBuf,
    /// Also those for which no referral comes into question: visits of patients whom nobody referred
    #[arg(long)]
    all: bool,
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
pub(crate) struct OneUnmatched {
    /// As `list` names it
    item: String,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct AssignUnmatched {
    /// As `list` names it
    item: String,
    /// The referral's id
    referral: ReferralId,
    #[command(flatten)]
    asking: Asking,
}

impl Unmatched {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Unmatched::List(list) => list.run()?,
            Unmatched::Show(OneUnmatched { item, asking }) => {
                std::io::stdout().write_all(&asking.ask(ShowUnmatched { item })?.bytes()?)?;
            }
            Unmatched::Assign(AssignUnmatched { item, referral, asking }) => {
                asking.ask(Assign { item: item.clone(), referral })?;
                say!("{item} was applied to referral {referral}");
            }
            Unmatched::Dismiss(OneUnmatched { item, asking }) => {
                asking.ask(DismissUnmatched { item: item.clone() })?;
                say!("{item} is laid aside");
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl ListUnmatched {
    fn run(self) -> anyhow::Result<()> {
        let mut others = 0_usize;
        for unmatched in all_unmatched(View::open(&self.data)?.index())? {
            if unmatched.candidates.is_empty() && !self.all {
                others += 1;
                continue;
            }
            if self.json {
                print_json(&unmatched)?;
                continue;
            }
            let UnmatchedItem { item, position: _, at, source, kind, why, candidates } = unmatched;
            say!("{}  {item}\n    {kind} from {source}: {why}", at.format("%Y-%m-%d %H:%M"));
            for referral in candidates {
                say!("    may mean referral {referral}");
            }
        }
        if others > 0 && !self.json {
            say!("{others} more wait for an order that may yet come; --all lists them");
        }
        Ok(())
    }
}

/// Page after page: a list that ends where a page does is a list of what nobody will ever see.
fn all_unmatched(index: &dyn Index) -> anyhow::Result<Vec<UnmatchedItem>> {
    let (mut all, mut after) = (Vec::new(), Position::START);
    loop {
        let page = index.unmatched(after, PAGE_MAX)?;
        let Some(last) = page.last() else { return Ok(all) };
        after = last.position;
        all.extend(page);
    }
}
