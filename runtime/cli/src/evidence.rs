//! `handoff evidence REFERRAL`: what became of it, for somebody who trusts neither us nor this program.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use handoff_engine::ids::ReferralId;
use handoff_store::View;

use handoff_clock::{Clock as _, SystemClock};
use handoff_instance::config::Config;
use handoff_instance::signing_key;
use handoff_operations::reports::evidence;

#[derive(Args)]
pub(crate) struct Evidence {
    referral: String,
    /// Names the journal, and the key that signs the pack
    #[arg(long, default_value = "handoff.yaml")]
    config: PathBuf,
    /// The pack; standard output when absent
    #[arg(long)]
    out: Option<PathBuf>,
}

impl Evidence {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let id: ReferralId = self.referral.parse()?;
        let config = Config::read(&self.config)?;
        let view = View::open(&config.data)?;
        let key = signing_key::signing(&config.keys.signing, &config.data)?;
        let pack = evidence::write(&view, id, &key, SystemClock.now())?;
        match self.out {
            None => write!(std::io::stdout(), "{pack}")?,
            Some(path) => {
                std::fs::write(&path, &pack).with_context(|| format!("cannot write {}", path.display()))?;
                say!("{}: check it with `handoff-verify {} --key journal.pub`", path.display(), path.display());
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}
