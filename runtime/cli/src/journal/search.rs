//! `handoff journal search`: which entries speak of something.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use chrono::{DateTime, Utc};
use clap::Args;
use handoff_engine::ids::{ReferralId, Token};
use handoff_operations::reports::audit::Found;
use handoff_store::View;
use handoff_store::index::{self, Kind, PAGE_MAX};

use crate::moment::moment;
use crate::print_json;

/// Every criterion that is given must hold.
#[derive(Args)]
pub(crate) struct Search {
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
                    let found = Found::of(position, &entry);
                    match json {
                        true => print_json(&found)?,
                        false => tell(&found)?,
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(found: &Found) -> anyhow::Result<()> {
    say!("{}  {}  {}", found.position, found.at.format("%Y-%m-%d %H:%M:%S"), found.types.join(" "));
    for referral in &found.referrals {
        say!("    {referral}");
    }
    for told in &found.told {
        say!("      {told}");
    }
    for deed in &found.deeds {
        let who = deed.who.as_deref().unwrap_or("somebody");
        let why = deed.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        say!("    {who} {}{why}", deed.what);
    }
    Ok(())
}
