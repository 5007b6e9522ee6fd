//! `handoff workflow check`: every problem of a workflow at once, those of its triggers' settings too, then its scenarios.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use handoff_engine::scenario::Scenario;
use handoff_engine::workflow::{Problem, Workflow};
use handoff_host::{Host, PluginLimits};
use handoff_pipeline::deployments::{InstallError, settings_check};
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
            Err(InstallError::Workflow(problems)) => return Ok(refused(&problems)),
            Err(error) => return Err(error.into()),
        };
        let wrong = wrong_settings(&workflow)?;
        if !wrong.is_empty() {
            return Ok(refused(&wrong));
        }
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

fn refused(problems: &[Problem]) -> ExitCode {
    problems.iter().for_each(|problem| eprintln!("{problem}\n"));
    eprintln!("{} problem(s)", problems.len());
    ExitCode::FAILURE
}

/// What the bundled triggers cannot use of what is set for them. One of the plugins folder is asked where that is known: by `plan`,
/// `apply` and `serve`.
fn wrong_settings(workflow: &Workflow) -> anyhow::Result<Vec<Problem>> {
    let set = workflow.stages.trigger.iter().map(|(_, stage)| stage).filter(|stage| stage.written.is_some());
    let found: Vec<_> = set.filter_map(|stage| Some((stage, handoff_bundle::plugin(&stage.plugin)?))).collect();
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let host = Host::new(PluginLimits::default(), None)?;
    let mut problems = Vec::new();
    for (stage, bundled) in found {
        problems.extend(settings_check::problems(&host, &host.load(bundled.component)?, stage));
    }
    Ok(problems)
}
