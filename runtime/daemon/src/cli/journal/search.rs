//! `handoff journal search`: which entries speak of something.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use handoff_engine::ids::{ReferralId, Token};
use handoff_store::index::{self, Kind, Kinds, PAGE_MAX, touched_by};
use handoff_store::{Entry, Position, View};
use serde_json::json;

use crate::cli::moment::moment;
use crate::cli::print_json;
use crate::timeline;

/// Every criterion that is given must hold.
#[derive(Args)]
pub struct Search {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    referral: Option<ReferralId>,
    /// A token, as entries hold them
    #[arg(long)]
    token: Option<String>,
    /// The id of the specialist that referrals are with now
    #[arg(long)]
    specialist: Option<String>,
    /// From this day or moment on
    #[arg(long, value_parser = moment)]
    from: Option<DateTime<Utc>>,
    /// Before this day or moment
    #[arg(long, value_parser = moment)]
    until: Option<DateTime<Utc>>,
    /// A record's type, or an event's: `dropped`, `event.reply`
    #[arg(long = "type")]
    kind: Option<Kind>,
    /// No more than so many entries, oldest first
    #[arg(long)]
    limit: Option<usize>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Search {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Search { data, referral, token, specialist, from, until, kind, limit, json } = self;
        let view = View::open(&data)?;
        let mut left = limit.unwrap_or(usize::MAX);
        let token = token.map(Token);
        let mut search = index::Search { referral, token, specialist, from, until, kind, ..index::Search::default() };
        while left > 0 {
            search.limit = left.min(PAGE_MAX);
            let page = view.index().search(&search)?;
            let Some(last) = page.last() else { break };
            search.after = *last;
            left -= page.len();
            for position in page {
                if let Some(entry) = view.read(position)? {
                    match json {
                        true => print_json(&as_json(position, &entry))?,
                        false => tell(position, &entry)?,
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn touched(entry: &Entry) -> BTreeSet<ReferralId> {
    entry.records.iter().flat_map(touched_by).collect()
}

fn types(entry: &Entry) -> Vec<&'static str> {
    Kinds::of(entry).iter().map(Kind::name).collect()
}

fn as_json(position: Position, entry: &Entry) -> serde_json::Value {
    json!({ "position": position, "at": entry.at, "types": types(entry), "referrals": touched(entry) })
}

fn tell(position: Position, entry: &Entry) -> anyhow::Result<()> {
    say!("{position}  {}  {}", entry.at.format("%Y-%m-%d %H:%M:%S"), types(entry).join(" "));
    for referral in touched(entry) {
        say!("    {referral}");
        for moment in timeline::told(entry, referral) {
            say!("      {}", moment.what.trim_start());
        }
    }
    Ok(())
}
