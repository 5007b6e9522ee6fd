//! `handoff workflow check`: every problem of a workflow at once, then its scenarios.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use handoff_engine::scenario::Scenario;

use handoff_pipeline::deployments::InstallError;
use handoff_pipeline::rollout::Candidate;

#[derive(Args)]
pub(crate) struct Check {
    file: PathBuf,
    /// Do not play the scenarios
    #[arg(long)]
    no_scenarios: bool,
}

impl Check {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let Candidate { source, scenarios } = Candidate::read(&self.file)?;
        let workflow = match source.parse() {
            Ok(workflow) => workflow,
            Err(InstallError::Workflow(problems)) => {
                problems.iter().for_each(|problem| eprintln!("{problem}\n"));
                eprintln!("{} problem(s)", problems.len());
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error.into()),
        };
        for warning in workflow.warnings(&source.file) {
            eprintln!("{}\n", warning.as_warning());
        }
        say!("{}: {} states, {} letters, no problems", source.file, workflow.states.len(), workflow.letters.len());
        let unreviewed: Vec<&str> = workflow.unreviewed_languages().collect();
        if !unreviewed.is_empty() {
            eprintln!("warning: no translator answers for the templates in {}", unreviewed.join(", "));
            eprintln!("  help: have a qualified translator review them (45 CFR 92.201(c)(3)), and add to each file:");
            eprintln!("        translation: {{ translator: NAME, reviewed_on: 2026-12-25 }}");
        }
        if self.no_scenarios {
            return Ok(ExitCode::SUCCESS);
        }
        let deployment = handoff_engine::deployment::Deployment::new(workflow, Default::default());
        let mut failed = 0;
        for (name, text) in &scenarios {
            match Scenario::parse(name, text).and_then(|scenario| scenario.run(name, &deployment)) {
                Ok(_) => say!("  ✓ {name}"),
                Err(problem) => {
                    failed += 1;
                    say!("  ✗ {name}\n{problem}");
                }
            }
        }
        Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}
