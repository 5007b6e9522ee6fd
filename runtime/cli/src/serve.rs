//! `handoff serve`: takes orders in and carries letters out until it is told to stop.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use handoff_instance::config::Config;
use handoff_instance::telemetry;
use handoff_operations::control_socket;
use handoff_operations::operations::Operations;
use handoff_server::service;

#[derive(Args)]
pub(crate) struct Serve {
    #[arg(long, default_value = "handoff.yaml")]
    config: PathBuf,
}

impl Serve {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        let config = Config::read(&self.config)?;
        let _told = telemetry::start(&config.log, config.traces.as_ref())?;
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            // Before any door opens: whoever sees one open may already say stop.
            let end = service::terminated();
            let operations = Arc::new(Operations::open(&config, true)?);
            let door = control_socket::open(&config.data)?;
            let mut service =
                service::start(&config.listen, Arc::clone(&operations.pipeline)).await.context("cannot listen")?;
            service.admit(door, Arc::clone(&operations));
            if let Some(listener) = &config.listen.api {
                let invited = service.invite(listener, &config.people, operations).await.context("cannot listen")?;
                if let Some(link) = invited.set_up {
                    say!("Nobody can sign in yet. Make the first account here, within an hour:\n  {}", *link);
                }
            }
            service.watch_canary();
            service.go_rounds();
            if config.workflow.watch {
                service.watch(config.workflow.file.clone());
            }
            service.run_until(end).await
        })?;
        Ok(ExitCode::SUCCESS)
    }
}
