//! `handoff journal replay`: the proof that every plugin decided what the journal says it did.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use handoff_host::{Host, PluginLimits};
use handoff_operations::replay_decisions::{Proof, Prove, prove};
use handoff_store::{Position, View};

use crate::asking::Asking;
use crate::print_json;

#[derive(Args)]
pub(crate) struct Replay {
    #[command(flatten)]
    asking: Asking,
    #[arg(long)]
    json: bool,
}

impl Replay {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let proof = match self.asking.data_alone()? {
            Some(data) => without_keys(&data)?,
            None => self.asking.ask(Prove {})?,
        };
        match self.json {
            true => print_json(&proof)?,
            false => tell(&proof)?,
        }
        Ok(if proof.unproven == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// What the folder alone can show: every decision but those that were made from patient data in clear.
fn without_keys(data: &Path) -> anyhow::Result<Proof> {
    let view = View::open(data)?;
    let host = Host::new(PluginLimits::default(), None)?;
    Ok(prove(view.entries(Position::START), &host, data, None)?)
}

fn tell(proof: &Proof) -> anyhow::Result<()> {
    let Proof { proven, unproven, named, passed_over } = proof;
    say!("{proven} decision(s) proven");
    for (reason, count) in passed_over {
        say!("{count} passed over: {reason}");
    }
    for it in named {
        say!("entry {}: stage {}, plugin {}: {}", it.position, it.stage, it.plugin.short(), it.why);
    }
    if *unproven > 0 {
        say!("{unproven} NOT proven");
    }
    Ok(())
}
