//! `handoff disclosures PATIENT`: an accounting of disclosures, for a patient who asks for one. Tokens only.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::bail;
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_engine::ids::{PatientId, ReferralId};
use handoff_operations::reports::disclosures::{self, DisclosureOutcome};
use handoff_pipeline::error::PipelineError;
use handoff_store::View;

use crate::print_json;

#[derive(Args)]
pub(crate) struct Disclosures {
    /// The patient as the journal names them, `P…`, or one of their referrals
    patient: String,
    #[arg(long)]
    data: PathBuf,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

impl Disclosures {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let view = View::open(&self.data)?;
        let patient = self.patient(&view)?;
        let told = disclosures::of(view.index(), view.reader(), &patient)?;
        for disclosure in &told {
            if self.json {
                print_json(disclosure)?;
                continue;
            }
            let at = disclosure.at.format("%Y-%m-%d %H:%M:%S");
            let agreement = disclosure.agreement.as_deref().unwrap_or("not on record");
            let arrived = match disclosure.outcome {
                DisclosureOutcome::Answered => "",
                DisclosureOutcome::Unanswered => ", unanswered",
            };
            say!("{at}  to {} (agreement: {agreement}) {}{arrived}", disclosure.to, disclosure.why);
            say!("    {}", disclosure.what.join(" "));
        }
        if !self.json {
            say!("{} disclosures of {}", told.len(), patient.0);
        }
        Ok(ExitCode::SUCCESS)
    }

    fn patient(&self, view: &View) -> anyhow::Result<PatientId> {
        if let Ok(id) = self.patient.parse::<ReferralId>() {
            let referral = view.index().referral(&id)?.ok_or(PipelineError::NoSuchReferral(id))?;
            return Ok(referral.facts.patient.id.clone());
        }
        if !self.patient.starts_with('P') {
            bail!(Failure::new(
                ErrorCode::NO_SUCH_PATIENT,
                format!(
                    "{:?} is neither a patient's id in the journal nor a referral\n  \
                     help: `handoff referrals list --data DIR` lists the referrals",
                    self.patient
                )
            ));
        }
        Ok(PatientId(self.patient.clone()))
    }
}
