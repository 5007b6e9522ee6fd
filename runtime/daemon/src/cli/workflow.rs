//! `handoff workflow check`: every problem of a workflow at once, then its scenarios.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use handoff_engine::scenario::Scenario;

use crate::deployments::{InstallError, Source};

#[derive(Subcommand)]
pub enum Workflow {
    /// Find every problem, with its place and cure, and play the scenarios beside it
    Check(Check),
}

#[derive(Args)]
pub struct Check {
    file: PathBuf,
    /// Do not play the scenarios
    #[arg(long)]
    no_scenarios: bool,
}

impl Workflow {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Workflow::Check(check) => check.run(),
        }
    }
}

impl Check {
    fn run(self) -> anyhow::Result<ExitCode> {
        let source = Source::read(&self.file)?;
        let workflow = match source.parse() {
            Ok(workflow) => workflow,
            Err(InstallError::Workflow(problems)) => {
                problems.iter().for_each(|problem| eprintln!("{problem}\n"));
                eprintln!("{} problem(s)", problems.len());
                return Ok(ExitCode::FAILURE);
            }
            Err(error) => return Err(error.into()),
        };
        say!("{}: {} states, {} letters, no problems", source.file, workflow.states.len(), workflow.letters.len());
        if self.no_scenarios {
            return Ok(ExitCode::SUCCESS);
        }
        let deployment = handoff_engine::deployment::Deployment::new(workflow, Default::default());
        let folder = self.file.with_file_name("scenarios");
        let mut failed = 0;
        let mut paths: Vec<_> =
            std::fs::read_dir(&folder).into_iter().flatten().flatten().map(|it| it.path()).collect();
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|ending| ending == "txt")) {
            let name = path.display().to_string();
            let text = std::fs::read_to_string(path)?;
            match Scenario::parse(&name, &text).and_then(|scenario| scenario.run(&name, &deployment)) {
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
