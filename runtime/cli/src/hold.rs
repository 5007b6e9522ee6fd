//! `handoff hold add|release|list`: referrals that retention must not touch.

use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_engine::ids::ReferralId;
use handoff_operations::holds;

use crate::asking::Asking;
use crate::print_json;

#[derive(Subcommand)]
pub(crate) enum Hold {
    /// Keep a referral, whatever its age
    Add(Referral),
    /// End a hold
    Release(Referral),
    /// What is held, since when, by whom and why
    List(List),
}

#[derive(Args)]
pub(crate) struct Referral {
    referral: ReferralId,
    #[command(flatten)]
    asking: Asking,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

impl Hold {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Hold::Add(Referral { referral, asking }) => {
                asking.ask(holds::PlaceHold { referral })?;
                say!("{referral} is held");
            }
            Hold::Release(Referral { referral, asking }) => {
                asking.ask(holds::Release { referral })?;
                say!("{referral} is no longer held");
            }
            Hold::List(List { asking, json }) => {
                for hold in asking.ask(holds::Holds {})? {
                    match json {
                        true => print_json(&hold)?,
                        false => {
                            say!(
                                "{}  since {} by {}: {}",
                                hold.referral,
                                hold.at.format("%Y-%m-%d"),
                                hold.who,
                                hold.why
                            )
                        }
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
