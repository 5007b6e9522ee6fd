//! How a command reaches the operations: through the door of an instance that runs, or by opening one that does not.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;

use handoff_instance::config::Config;
use handoff_operations::control_socket::Door;
use handoff_operations::operations::{Operations, Operator, Request};

#[derive(Args)]
pub(crate) struct Asking {
    /// Handoff's configuration; handoff.yaml here, unless --data is given
    #[arg(long)]
    config: Option<PathBuf>,
    /// Its data folder instead: enough while Handoff runs
    #[arg(long)]
    data: Option<PathBuf>,
    /// Who asks, for the journal
    #[arg(long, env = "USER", default_value = "operator")]
    who: String,
    /// And why
    #[arg(long)]
    why: Option<String>,
}

impl Asking {
    /// The data folder, where no house runs in it and no configuration is named by which one could be opened.
    pub fn data_alone(&self) -> anyhow::Result<Option<PathBuf>> {
        let (None, Some(data)) = (&self.config, &self.data) else { return Ok(None) };
        let runtime = tokio::runtime::Runtime::new()?;
        Ok(runtime.block_on(Door::knock(data))?.is_none().then(|| data.clone()))
    }

    /// Whoever answers, the same code does what is asked.
    pub fn ask<R: Request>(self, request: R) -> anyhow::Result<R::Answer> {
        let Asking { config, data, who, why } = self;
        let Some(why) = why.or(R::WHY.map(str::to_string)).filter(|why| !why.trim().is_empty()) else {
            bail!("say why, for the journal: --why \"…\"");
        };
        let operator = Operator { who, role: None, why };
        let config = config.unwrap_or("handoff.yaml".into());
        let folder = match &data {
            Some(data) => data.clone(),
            None => Config::read(&config)?.data,
        };
        let runtime = tokio::runtime::Runtime::new()?;
        if let Some(door) = runtime.block_on(Door::knock(&folder))? {
            return runtime.block_on(door.ask(operator, request));
        }
        let config = Config::read(&config)
            .with_context(|| format!("no house runs in {}, and it takes its --config to open it", folder.display()))?;
        if data.is_some_and(|data| std::fs::canonicalize(data).ok() != std::fs::canonicalize(&config.data).ok()) {
            bail!(
                "no house runs in {}, and the configuration is of another: {}",
                folder.display(),
                config.data.display()
            );
        }
        let operations = Operations::open(&config, R::TAKES_WORKFLOW_UP)?;
        let _within = runtime.enter();
        request.perform(&operations, operator)
    }
}
