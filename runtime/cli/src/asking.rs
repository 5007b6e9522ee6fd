//! How a command reaches the operations: through the door of an instance that runs, or by opening one that does not.

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use handoff_engine::error_code::{ErrorCode, Failure};
use handoff_instance::config::Config;
use handoff_operations::control_socket::ControlClient;
use handoff_operations::operations::{Operations, Operator, Request};

#[derive(Clone, Args)]
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
        Ok(runtime.block_on(ControlClient::connect(data))?.is_none().then(|| data.clone()))
    }

    /// The data folder that is meant.
    pub fn data_folder(&self) -> anyhow::Result<PathBuf> {
        match &self.data {
            Some(data) => Ok(data.clone()),
            None => Ok(Config::read(self.config.as_deref().unwrap_or("handoff.yaml".as_ref()))?.data),
        }
    }

    /// Whoever answers, the same code does what is asked.
    pub fn ask<R: Request>(self, request: R) -> anyhow::Result<R::Answer> {
        let Asking { config, data, who, why } = self;
        let Some(why) = why.or(R::WHY.map(str::to_string)).filter(|why| !why.trim().is_empty()) else {
            bail!(Failure::new(
                ErrorCode::NO_REASON,
                "the journal needs a reason for this\n  help: add --why \"the reason, in a few words\""
            ));
        };
        let operator = Operator { who, role: None, why };
        let config = config.unwrap_or("handoff.yaml".into());
        let folder = match &data {
            Some(data) => data.clone(),
            None => Config::read(&config)?.data,
        };
        let runtime = tokio::runtime::Runtime::new()?;
        if let Some(door) = runtime.block_on(ControlClient::connect(&folder))? {
            return runtime.block_on(door.ask(operator, request));
        }
        let config = Config::read(&config).with_context(|| {
            let folder = folder.display();
            let text = format!(
                "no instance runs in {folder}, and opening its data folder takes its configuration\n  \
                 help: name it with --config, or start the instance: `handoff serve --config handoff.yaml`"
            );
            Failure::new(ErrorCode::NOT_RUNNING, text)
        })?;
        if data.is_some_and(|data| std::fs::canonicalize(data).ok() != std::fs::canonicalize(&config.data).ok()) {
            bail!(Failure::new(
                ErrorCode::OTHER_INSTANCE,
                format!(
                    "no instance runs in {}, and the configuration belongs to another data folder: {}",
                    folder.display(),
                    config.data.display()
                )
            ));
        }
        let operations = Operations::open(&config, R::TAKES_WORKFLOW_UP)?;
        let _within = runtime.enter();
        request.perform(&operations, operator)
    }
}
