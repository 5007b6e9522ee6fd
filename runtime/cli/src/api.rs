//! `handoff api openapi`: what can be asked over HTTP, for programs.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Subcommand;

use handoff_web::api::openapi;

#[derive(Subcommand)]
pub(crate) enum Api {
    /// Print the OpenAPI document
    Openapi,
}

impl Api {
    pub fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Api::Openapi => say!("{}", serde_json::to_string_pretty(&openapi::whole())?),
        }
        Ok(ExitCode::SUCCESS)
    }
}
