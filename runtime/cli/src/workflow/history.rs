//! `handoff workflow history`: what has been in force.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Args;
use handoff_operations::workflow::Review;
use handoff_pipeline::rollout::history::{self, PastDeployment};
use handoff_store::{Origin, View};

use crate::asking::Asking;
use crate::print_json;

#[derive(Args)]
pub(crate) struct History {
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

impl History {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let past = match self.asking.data_alone()? {
            Some(data) => {
                let view = View::open(&data)?;
                history::of(view.index(), &|position| view.read(position), None)?
            }
            None => self.asking.ask(Review {})?,
        };
        match self.json {
            true => print_json(&past)?,
            false => tell(&past)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn tell(past: &PastDeployment) -> anyhow::Result<()> {
    for once in &past.deployments {
        let mark = if once.in_force { "*" } else { " " };
        let (digest, at) = (once.deployment.short(), once.at.format("%Y-%m-%d %H:%M"));
        let how = match once.origin {
            Origin::Configured | Origin::Applied => String::new(),
            Origin::RolledBack => "rolled back: ".into(),
        };
        let how = once.canary.map_or(how, |canary| format!("canary, {} %: ", canary.share));
        say!("{mark} {digest}  {at}  {:>7} in flight  {}: {how}{}", once.referrals, once.who, once.why);
    }
    if let Some(aside) = &past.set_aside {
        say!("! {} is not in force: {}", aside.file, aside.why.replace('\n', "\n  "));
    }
    Ok(())
}
